import { createHash } from "node:crypto";

/** Digests of an index and of its platforms' manifests. */
export interface CopiedVersion {
  readonly index: string;
  readonly platforms: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform: { readonly os: string; readonly architecture: string };
}

interface Manifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/**
 * Publishes thousands of versions in a moment: copies of one that exists, all with the same layers, told apart by an annotation, whose
 * labels say which version each is. Talks plain HTTP to a registry on this machine that wants no credentials.
 */
export class AnnotatedCopies {
  private constructor(
    private readonly base: string,
    private readonly index: { readonly manifests: readonly Descriptor[] },
    private readonly children: readonly Manifest[],
  ) {}

  /** @param repository `localhost:5000/mirror/app`; `tag` is what is copied. */
  static async of(repository: string, tag: string): Promise<AnnotatedCopies> {
    const slash = repository.indexOf("/");
    const base = `http://${repository.slice(0, slash)}/v2${repository.slice(slash)}/manifests`;
    const index = JSON.parse((await get(`${base}/${tag}`)).bytes.toString()) as { manifests: readonly Descriptor[] };
    return new AnnotatedCopies(
      base,
      index,
      await Promise.all(index.manifests.map(({ digest }) => get(`${base}/${digest}`))),
    );
  }

  /** Publishes one copy as the version its tag names; its digests depend on `mark`. */
  async publish(tag: string, mark: string): Promise<CopiedVersion> {
    const copies = await Promise.all(
      this.children.map(async ({ bytes, mediaType }, position) => {
        const { platform, ...rest } = this.index.manifests[position] ?? missing(position);
        const copy = await this.copy(bytes, tag, mark);
        await put(`${this.base}/${digestOf(copy)}`, { bytes: copy, mediaType });
        return { ...rest, platform, digest: digestOf(copy), size: copy.length };
      }),
    );
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: copies }));
    await put(`${this.base}/${tag}`, { bytes: index, mediaType });
    const platforms = copies.map(({ platform, digest }) => [`${platform.os}/${platform.architecture}`, digest]);
    return { index: digestOf(index), platforms: Object.fromEntries(platforms) as Record<string, string> };
  }

  private async copy(bytes: Buffer, version: string, mark: string): Promise<Buffer> {
    const manifest = JSON.parse(bytes.toString()) as { readonly config: Descriptor };
    const blobs = this.base.replace(/manifests$/, "blobs");
    const read = await get(`${blobs}/${manifest.config.digest}`);
    const configuration = JSON.parse(read.bytes.toString()) as { readonly config: { readonly Labels?: object } };
    const Labels = { ...configuration.config.Labels, "org.opencontainers.image.version": version };
    const config = Buffer.from(JSON.stringify({ ...configuration, config: { ...configuration.config, Labels } }));
    const [digest, size] = [digestOf(config), config.length];
    const begun = await fetch(`${blobs}/uploads/`, { method: "POST" });
    const upload = new URL(begun.headers.get("location") ?? "", blobs);
    upload.searchParams.set("digest", digest);
    await put(upload.href, { bytes: config, mediaType: "application/octet-stream" });
    const named = { ...manifest, config: { ...manifest.config, digest, size }, annotations: { mark } };
    return Buffer.from(JSON.stringify(named));
  }
}

async function get(url: string): Promise<Manifest> {
  const accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(url, { headers: { accept } });
  if (response.status !== 200) throw new Error(`GET ${url}: ${response.status} ${await response.text()}`);
  return {
    bytes: Buffer.from(await response.arrayBuffer()),
    mediaType: response.headers.get("content-type") ?? "",
  };
}

async function put(url: string, { bytes, mediaType }: Manifest): Promise<void> {
  const body = new Uint8Array(bytes);
  const response = await fetch(url, { method: "PUT", headers: { "content-type": mediaType }, body });
  if (response.status !== 201) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function missing(position: number): never {
  throw new Error(`the index has no entry ${position}`);
}
