import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RequiredFile } from "../model/appSpecification";
import { type Digest, isDigest } from "../model/digest";
import type { Transport } from "../registry/transport";
import { printable } from "../model/safeText";
import { writeWhole } from "../system/placeWhole";
import { fileUrl } from "./requiredFiles";

/** Arguments of {@link resolveChecksums}. */
export interface ChecksumOptions {
  readonly transport: Transport;
  /** Where sums computed from a download are kept. */
  readonly cacheDirectory: string;
  /** Most bytes of a file that is downloaded. Default 2 GiB. */
  readonly sizeLimit?: number;
}

const longestSumFile = 1024 * 1024;

/**
 * The SHA-256 of each file by its address, as `ADD --checksum` takes it. Files about which nothing is known beforehand are left out.
 * BuildKit compares with SHA-256 only, so a file published with SHA-512 is downloaded once, verified, and its SHA-256 computed.
 * @throws Error when a sum cannot be had, is malformed or does not fit, or when a file asks for a checksum argument without giving a source of sums
 */
export async function resolveChecksums(
  files: readonly RequiredFile[],
  options: ChecksumOptions,
): Promise<ReadonlyMap<string, Digest>> {
  const resolved = await Promise.all(
    files.map(async (file) => [file.url, await resolveChecksum(file, options)] as const),
  );
  return new Map(resolved.flatMap(([url, sum]) => (sum === undefined ? [] : [[url, sum] as const])));
}

async function resolveChecksum(file: RequiredFile, options: ChecksumOptions): Promise<Digest | undefined> {
  const { url, sha256, sha512, sums, checksumArgument } = file;
  if (sha256 !== undefined) return sha256Of(url, sha256);
  if (sha512 !== undefined) return verified(url, sha512.toLowerCase(), options);
  if (sums) {
    const sum = await readSum(file, sums, options.transport);
    return sums.algorithm === "sha256" ? sha256Of(url, sum) : verified(url, sum, options);
  }
  if (checksumArgument === undefined) return undefined;
  throw new Error(
    `${printable(url, 300)} has a checksum argument but no checksum; give one of sha256, sha512 and sums`,
  );
}

function sha256Of(url: string, hex: string): Digest {
  const digest = `sha256:${hex.toLowerCase()}`;
  if (isDigest(digest)) return digest;
  throw new Error(`${printable(hex, 160)} is not the sha256 of ${printable(url, 300)}; accepted are 64 hex digits`);
}

async function readSum(
  { url }: RequiredFile,
  sums: NonNullable<RequiredFile["sums"]>,
  transport: Transport,
): Promise<string> {
  const answer = await transport.send({ method: "GET", url: fileUrl(sums.url), bodyLimit: longestSumFile });
  const what = printable(sums.url, 300);
  if (answer.status !== 200)
    throw new Error(`the sums at ${what} cannot be read: the answer was status ${answer.status}`);
  try {
    const name = decodeURIComponent(fileUrl(url).pathname.split("/").at(-1) ?? "");
    return readSumFile(answer.body.toString(), {
      algorithm: sums.algorithm,
      name,
      dedicated: sums.url.startsWith(`${url}.`),
    });
  } catch (cause) {
    const reason = answer.direct ? (cause as Error).message : `${answer.origin}, to which it redirected, has none`;
    throw new Error(`the sums at ${what} cannot be used: ${reason}`, { cause });
  }
}

/** The SHA-256 of a file whose SHA-512 is known: from an earlier download, or from one now. */
async function verified(url: string, sha512: string, options: ChecksumOptions): Promise<Digest> {
  if (!/^[0-9a-f]{128}$/.test(sha512)) {
    throw new Error(
      `${printable(sha512, 160)} is not the sha512 of ${printable(url, 300)}; accepted are 128 hex digits`,
    );
  }
  const name = createHash("sha256").update(`${sha512} ${url}`).digest("hex");
  const kept = join(options.cacheDirectory, "checksums", name);
  const known = await readFile(kept, "utf8").catch(() => "");
  if (isDigest(known)) return known;
  const sums = await download(url, options);
  if (sums.sha512 !== sha512) {
    throw new Error(
      `${printable(url, 300)} has the sha512 ${sums.sha512}, but ${sha512} is published: it was changed, or not sent whole`,
    );
  }
  const digest = sha256Of(url, sums.sha256);
  // A full or read-only disk costs a second download, nothing else.
  await writeWhole(kept, digest).catch(() => undefined);
  return digest;
}

async function download(
  url: string,
  { transport, sizeLimit = 2 * 1024 ** 3 }: ChecksumOptions,
): Promise<{ sha256: string; sha512: string }> {
  const answer = await transport.send({ method: "GET", url: fileUrl(url), bodyLimit: longestSumFile, stream: true });
  if (!answer.stream)
    throw new Error(`${printable(url, 300)} cannot be downloaded: the answer was status ${answer.status}`);
  const [sha256, sha512] = [createHash("sha256"), createHash("sha512")];
  let length = 0;
  try {
    for await (const piece of answer.stream as AsyncIterable<Buffer>) {
      length += piece.length;
      // Leaving the loop destroys the stream and with it the connection.
      if (length > sizeLimit) throw new Error(`it is longer than ${sizeLimit} bytes`);
      sha256.update(piece);
      sha512.update(piece);
    }
  } catch (cause) {
    throw new Error(`${printable(url, 300)} cannot be downloaded: ${(cause as Error).message}`, { cause });
  }
  return { sha256: sha256.digest("hex"), sha512: sha512.digest("hex") };
}

const hexLength = { sha256: 64, sha512: 128 } as const;

/** What to look for in a sum file. */
export interface SumQuery {
  readonly algorithm: keyof typeof hexLength;
  /** Name of the file, without folders. */
  readonly name: string;
  /** The sum file belongs to this one file (`name.sha512`), so a single sum in it is the file's under any name. */
  readonly dedicated: boolean;
}

/**
 * Finds a file's checksum in a published sum file: lower-case hex.
 * Accepted lines are `<hex>  name` and `<hex> *name` (GNU), `SHA256 (name) = <hex>` (BSD), and one bare sum as the
 * whole file; empty lines and those that start with # are skipped. Anything else, such as a web page, is an error.
 * @throws Error naming the line, or saying that the file is not listed or listed with different sums
 */
export function readSumFile(text: string, query: SumQuery): string {
  const entries = text.split(/\r?\n/).flatMap((line, position) => {
    const skipped = line.trim() === "" || line.startsWith("#");
    return skipped ? [] : [readLine(line, position + 1, query.algorithm)];
  });
  const own = entries.filter(({ name, algorithm }) => algorithm === query.algorithm && baseName(name) === query.name);
  const [only, ...others] = entries;
  const alone =
    only?.algorithm === query.algorithm && others.length === 0 && (query.dedicated || only.name === undefined);
  const sums = new Set((own.length > 0 ? own : alone ? [only] : []).map(({ hex }) => hex));
  const [sum, ...different] = sums;
  if (sum === undefined) throw new Error(`the ${query.algorithm} sums do not list ${printable(query.name, 200)}`);
  if (different.length > 0)
    throw new Error(`the ${query.algorithm} sums list ${printable(query.name, 200)} with different sums`);
  return sum;
}

interface Entry {
  readonly hex: string;
  readonly algorithm: string;
  readonly name?: string;
}

function readLine(line: string, number: number, algorithm: SumQuery["algorithm"]): Entry {
  const [, kind, bsdName, bsdHex] = /^([A-Z0-9-]{3,16}) \(([^]+)\) = ([0-9A-Fa-f]+)\s*$/.exec(line) ?? [];
  const [, gnuHex, gnuName] = /^([0-9A-Fa-f]+)(?:[ \t]+\*?(\S[^]*))?$/.exec(line.trimEnd()) ?? [];
  const hex = (bsdHex ?? gnuHex ?? "").toLowerCase();
  const name = bsdName ?? gnuName;
  const named = kind?.toLowerCase() ?? algorithm;
  const foreign = named !== algorithm && hex !== "";
  if (!foreign && hex.length !== hexLength[algorithm]) {
    throw new Error(
      `line ${number} is no ${algorithm} sum: ${printable(line, 120)}; accepted are "<hex>  name", "${algorithm.toUpperCase()} (name) = <hex>" or one bare sum`,
    );
  }
  return { hex, algorithm: named, ...(name !== undefined && { name }) };
}

function baseName(name: string | undefined): string | undefined {
  return name?.slice(name.lastIndexOf("/") + 1);
}
