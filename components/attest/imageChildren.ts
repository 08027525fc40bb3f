import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { Descriptor, ImageManifest, Manifest } from "../registry/manifest";
import type { AttestationReader } from "../probe/attestations";
import type { ImageConfiguration } from "../registry/imageConfiguration";

/** One thing that was looked at. */
export interface VerificationCheck {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, or what is wrong; from signed data or the registry, so escape it before printing. */
  readonly detail: string;
}

/** An image under verification. */
export interface ImageInQuestion {
  /** With its registry. */
  readonly name: string;
  readonly digest: Digest;
  /** Undefined where a digest was given. */
  readonly tag: string | undefined;
  /** Its platforms; of an image that is no index, itself. */
  readonly children: readonly ImageChild[];
  readonly isIndex: boolean;
}

/** An image of one platform. */
export interface ImageChild {
  readonly platform: Platform;
  readonly digest: Digest;
}

/** What an index lists, and what is wrong with it. */
export interface ImageChildren {
  readonly children: readonly ImageChild[];
  readonly checks: readonly VerificationCheck[];
}

/** What looking at an image reads. */
export type ImageReader = AttestationReader & {
  imageConfig(repository: string, manifest: ImageManifest): Promise<Pick<ImageConfiguration, "platform">>;
};

/**
 * The platforms of an image, each looked at: whether it is there, and whether it is what the index says. What build tools list besides
 * (attestations without a platform of their own) is passed over. An image that is no index has one, its own.
 * @throws RegistryError when the registry gives no usable answer.
 */
export async function childrenOf(name: string, manifest: Manifest, reader: ImageReader): Promise<ImageChildren> {
  if (manifest.kind === "image") {
    const { platform } = await reader.imageConfig(name, manifest);
    if (platform !== undefined) return { children: [{ platform, digest: manifest.digest }], checks: [] };
    return { children: [], checks: [bad("platforms", "the image names no platform")] };
  }
  const listed = manifest.manifests.filter((descriptor) => !isAttestation(descriptor));
  if (listed.length === 0) return { children: [], checks: [bad("platforms", "the index lists none")] };
  const found = await Promise.all(listed.map((descriptor) => lookAt(name, descriptor, reader)));
  const children = listed.flatMap(({ platform, digest }) => (platform === undefined ? [] : [{ platform, digest }]));
  const names = children.map(({ platform }) => platform);
  const twice = [...new Set(names.filter((platform, position) => names.indexOf(platform) !== position))];
  return {
    children,
    checks: [
      ...twice.map((platform) => bad(`platform ${platform}`, "the index lists it more than once")),
      ...found.filter((check) => check !== undefined),
    ],
  };
}

async function lookAt(
  name: string,
  { platform, digest }: Descriptor,
  reader: ImageReader,
): Promise<VerificationCheck | undefined> {
  if (platform === undefined) return bad(`child ${digest}`, "the index does not say for which platform it is");
  const what = `platform ${platform}`;
  const manifest = await reader.manifest(`${name}@${digest}`);
  if (manifest === undefined) return bad(what, `${digest} is not in the registry`);
  if (manifest.kind !== "image") return bad(what, `${digest} is not an image`);
  const said = await platformOf(name, manifest, reader);
  return said === platform ? undefined : bad(what, `${digest} is an image for ${said ?? "no platform"}`);
}

async function platformOf(name: string, manifest: ImageManifest, reader: ImageReader): Promise<Platform | undefined> {
  return (await reader.imageConfig(name, manifest)).platform;
}

/** As BuildKit writes them. */
function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform === undefined && annotations["vnd.docker.reference.type"] === "attestation-manifest";
}

function bad(what: string, detail: string): VerificationCheck {
  return { what, ok: false, detail };
}
