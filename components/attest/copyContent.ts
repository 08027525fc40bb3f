import type { Readable } from "node:stream";
import type { Digest } from "../model/digest";
import type { Descriptor, Manifest } from "../registry/manifest";
import { RegistryError } from "../registry/registryError";
import type { RegistryWriter } from "../registry/registryWriter";

/** What copying between repositories reads and writes. */
export interface ContentEdges {
  readonly reader: {
    manifest(reference: string): Promise<Manifest | undefined>;
    exists(reference: string): Promise<boolean>;
    blob(repository: string, digest: Digest): Promise<Readable>;
  };
  readonly writer: Pick<RegistryWriter, "putManifest" | "putBlob">;
}

/** From where to where; both with their registry. */
export interface ContentPlace {
  readonly from: string;
  readonly to: string;
  /** Asked before a blob is copied; throws for one that is too large. */
  readonly allow?: (blob: Descriptor) => void;
}

const deepestIndex = 2;

/** Copies everything a manifest names, so that a registry takes it: by digest, verified, each only if it is missing. */
export async function copyContent(
  manifest: Manifest,
  place: ContentPlace,
  edges: ContentEdges,
  depth = 0,
): Promise<void> {
  if (manifest.kind === "image") {
    for (const descriptor of [manifest.config, ...manifest.layers]) await copyBlob(descriptor, place, edges);
    return;
  }
  if (depth === deepestIndex) throw new Error(`${manifest.digest} nests more than ${deepestIndex} indexes`);
  for (const { digest } of manifest.manifests) {
    const child = await edges.reader.manifest(`${place.from}@${digest}`);
    if (!child) throw new Error(`${place.from}@${digest}, which ${manifest.digest} lists, does not exist`);
    await copyContent(child, place, edges, depth + 1);
    await edges.writer.putManifest(`${place.to}@${digest}`, child.mediaType, child.bytes);
  }
}

/** Copies the image of one platform by its digest, without a tag; one that is there stays as it is. */
export async function copyImage(digest: Digest, place: ContentPlace, edges: ContentEdges): Promise<void> {
  if (await edges.reader.exists(`${place.to}@${digest}`)) return;
  const manifest = await edges.reader.manifest(`${place.from}@${digest}`);
  if (!manifest) throw new Error(`${place.from}@${digest}, which is to be copied, does not exist any more`);
  await copyContent(manifest, place, edges);
  await edges.writer.putManifest(`${place.to}@${digest}`, manifest.mediaType, manifest.bytes);
}

async function copyBlob(
  descriptor: Descriptor,
  { from, to, allow }: ContentPlace,
  { reader, writer }: ContentEdges,
): Promise<void> {
  const { digest, size } = descriptor;
  allow?.(descriptor);
  const open = async (): Promise<AsyncIterable<Buffer>> =>
    exactly(await reader.blob(from, digest), size, `${from}@${digest}`);
  await writer.putBlob(to, digest, { size, open });
}

/** What a stream gives, as long as it is no longer than was said. Its digest is verified by whoever made it. */
async function* exactly(stream: Readable, size: number, what: string): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > size) break;
    yield piece;
  }
  if (length !== size)
    throw new RegistryError("malformed", `blob ${what} is not of the ${size} bytes its manifest says`);
}
