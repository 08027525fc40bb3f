import type { Digest } from "../model/digest";
import type { FileContent } from "./layerListing";
import type { Resolution } from "./fileTree";
import type { WantedChecksum } from "./listingBuilder";

/** A file of the finished image that must be, byte for byte, a known one. */
export interface IdenticalFile {
  /** Absolute path in the image; symbolic links are followed. */
  readonly path: string;
  /** What the bytes must hash to: `sha256:` or `sha512:` and the hex digits. */
  readonly checksum: string;
  /** Where the known file comes from, for messages. */
  readonly source?: string;
  /** A lower layer must hold another file at this path. */
  readonly replaces?: boolean;
}

/** The checksum to compute while reading. @throws Error naming the value when path or checksum is malformed. */
export function wantedChecksum(identical: IdenticalFile): WantedChecksum {
  const [, algorithm, hex] = /^(sha256|sha512):([0-9a-f]+)$/.exec(identical.checksum) ?? [];
  const length = algorithm === "sha512" ? 128 : 64;
  if ((algorithm !== "sha256" && algorithm !== "sha512") || hex?.length !== length) {
    const accepted = `"sha256:" and 64 or "sha512:" and 128 lower-case hex digits`;
    throw new Error(`checksum ${JSON.stringify(identical.checksum)} of a file to compare; accepted is ${accepted}`);
  }
  if (!identical.path.startsWith("/")) {
    throw new Error(`path ${JSON.stringify(identical.path)} of a file to compare must be absolute in the image`);
  }
  return { path: identical.path.replace(/^\/+/, ""), algorithm };
}

/**
 * What is wrong about the file that was to be replaced, or undefined: it has to be there, and to be another one.
 * @param versions checksums of the path in each layer that has it, from the lowest
 */
export function replacementProblem(identical: IdenticalFile, versions: readonly string[]): string | undefined {
  if (!identical.replaces) return undefined;
  const subject = `file ${JSON.stringify(identical.path)}`;
  if (versions.length < 2) return `${subject} replaces nothing: only ${versions.length} of the layers holds it`;
  if (new Set(versions.slice(-2)).size > 1) return undefined;
  return `${subject} is byte for byte the one of the image it is built on, which it was to replace: ${versions.at(-1)}`;
}

/**
 * What is wrong with the file, or undefined when it is the known one.
 * `rehash` is asked when the checksum was not computed on the first reading, because links lead to the file or it lies in the base.
 */
export async function identicalProblem(
  identical: IdenticalFile,
  found: Resolution,
  rehash: (layer: Digest, wanted: WantedChecksum) => Promise<FileContent | undefined>,
): Promise<string | undefined> {
  const subject = `file ${JSON.stringify(identical.path)}`;
  if (found.state !== "found") return `${subject} is not in the image (looked for ${JSON.stringify(found.path)})`;
  if (found.node.kind !== "file") return `${subject} is a ${found.node.kind} in the image, not a regular file`;
  const { file } = found.node;
  const { algorithm } = wantedChecksum(identical);
  const actual = file.checksum ?? (await rehash(file.layer, { path: file.path, algorithm }))?.checksum;
  if (actual === identical.checksum) return undefined;
  const page = file.head.kind === "markup" ? "; it is an HTML or XML page, probably a saved error page" : "";
  const source = identical.source === undefined ? "" : ` (${JSON.stringify(identical.source)})`;
  return `${subject} has ${actual ?? "no readable content"}, expected is ${identical.checksum}${source}${page}`;
}
