import type { Platform } from "../../../components/model/platform";
import { digest, type Layer } from "./layer";

/** One platform's image to be pushed. */
export interface PlatformImage {
  readonly platform: Platform;
  readonly layers: readonly Layer[];
  /** As in the OCI image configuration: `Env`, `Cmd`, … */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Digests of what was pushed. */
export interface PushedImage {
  readonly index: string;
  readonly platforms: Readonly<Record<Platform, string>>;
}

interface Described {
  readonly digest: string;
  readonly platform: { readonly os: string | undefined; readonly architecture: string | undefined };
}

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/**
 * Pushes an image of several platforms under a tag, over plain HTTP, without any other program: what upstream's own
 * registry has. Source: OCI distribution specification 1.1, "Pushing".
 * @param repository `localhost:5000/docker.io/library/ubuntu`
 */
export async function pushImage(
  repository: string,
  tag: string,
  images: readonly PlatformImage[],
): Promise<PushedImage> {
  const base = repository.replace(/^([^/]+)\//, "http://$1/v2/");
  const manifests: Described[] = [];
  for (const { platform, layers, config = {} } of images) {
    const [os, architecture] = platform.split("/");
    const rootfs = { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) };
    const configuration = Buffer.from(JSON.stringify({ os, architecture, config, rootfs }));
    for (const bytes of [configuration, ...layers.map((layer) => layer.bytes)]) await pushBlob(base, bytes);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: types.manifest,
        config: describe(types.config, configuration),
        layers: layers.map(({ bytes }) => describe(types.layer, bytes)),
      }),
    );
    await pushManifest(base, digest(manifest), types.manifest, manifest);
    manifests.push({ ...describe(types.manifest, manifest), platform: { os, architecture } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }));
  await pushManifest(base, tag, types.index, index);
  return {
    index: digest(index),
    platforms: Object.fromEntries(
      images.map(({ platform }, position) => [platform, manifests[position]?.digest ?? ""]),
    ),
  };
}

function describe(mediaType: string, bytes: Buffer) {
  return { mediaType, digest: digest(bytes), size: bytes.length };
}

async function pushBlob(base: string, bytes: Buffer): Promise<void> {
  const name = digest(bytes);
  if ((await fetch(`${base}/blobs/${name}`, { method: "HEAD" })).ok) return;
  const begun = await accepted(await fetch(`${base}/blobs/uploads/`, { method: "POST" }));
  const address = new URL(begun.headers.get("location") ?? "", begun.url);
  address.searchParams.set("digest", name);
  await accepted(await fetch(address, { method: "PUT", body: bytes, headers: octets }));
}

const octets = { "Content-Type": "application/octet-stream" };

async function pushManifest(base: string, reference: string, type: string, bytes: Buffer): Promise<void> {
  const request = { method: "PUT", body: bytes, headers: { "Content-Type": type } };
  await accepted(await fetch(`${base}/manifests/${reference}`, request));
}

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}
