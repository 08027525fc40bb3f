import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";

/** One layer of an image: the stored bytes, and the digest of the archive in them. */
export interface Layer {
  readonly bytes: Buffer;
  /** `sha256:…` of the archive unpacked, for the image configuration. */
  readonly diffId: string;
}

/** A file, folder or link of a layer; files have mode 644 unless told otherwise. */
export type LayerFile = Pick<Header, "name"> & Partial<Header> & { readonly body?: string | Buffer };

/** A layer of these files, the same bytes every time. */
export async function layerOf(files: readonly LayerFile[]): Promise<Layer> {
  const bytes = await archive(files);
  return { bytes: gzipSync(bytes, { level: 1 }), diffId: digest(bytes) };
}

/** The files as a tar archive, owned by root, with a fixed date. */
export async function archive(files: readonly LayerFile[]): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date("2026-01-01T00:00:00Z");
  for (const { body, ...header } of files) tar.entry({ mode: 0o644, mtime, ...header }, body ?? "");
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** `sha256:` and the hex digits. */
export function digest(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
