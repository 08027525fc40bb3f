import { inspectImage } from "../../components/check/inspectImage";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { checkImage, type CheckReport, type CheckRequest } from "../../components/check/checkImage";
import { parseDigest, type Digest } from "../../components/model/digest";
import { elfIdentity, type ElfIdentity, type Platform } from "../../components/model/platform";
import type { ImageConfiguration } from "../../components/registry/imageConfiguration";
import type { RegistryReader } from "../../components/check/imageReader";

export interface TarEntry {
  readonly name: string;
  readonly body?: Buffer | string;
  readonly mode?: number;
  readonly type?: "file" | "directory" | "symlink" | "link" | "character-device";
  readonly linkname?: string;
}

export interface Layer {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export const gzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

export function digestOf(bytes: Buffer): Digest {
  return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
}

export async function tar(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of entries) archive.entry({ mode: 0o644, ...header }, body ?? "");
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function layer(...entries: readonly TarEntry[]): Promise<Layer> {
  return { mediaType: gzipLayer, bytes: gzipSync(await tar(entries)) };
}

/** The first 64 bytes of an ELF file, as its specification lays them out. */
export function elf(identity: ElfIdentity | Platform, type = 2): Buffer {
  const { machine, bits, littleEndian } = typeof identity === "string" ? elfIdentity(identity) : identity;
  const header = Buffer.alloc(64);
  header.write("\x7fELF", "latin1");
  header.set([bits === 64 ? 2 : 1, littleEndian ? 1 : 2, 1], 4);
  const write = (value: number, offset: number): number =>
    littleEndian ? header.writeUInt16LE(value, offset) : header.writeUInt16BE(value, offset);
  write(type, 16);
  write(machine, 18);
  return header;
}

/** An executable file for a platform. */
export function program(name: string, platform: Platform = "linux/arm64", mode = 0o755): TarEntry {
  return { name, mode, body: elf(platform) };
}

export function configuration(changes: Partial<ImageConfiguration> = {}): ImageConfiguration {
  const runs = { environment: [], entrypoint: [], command: [], user: "", workingDirectory: "", ports: [], volumes: [] };
  const empty = { labels: {}, ...runs, history: [], triggers: [] };
  return { platform: "linux/arm64", ...empty, ...changes };
}

/** A registry that holds one image, and counts how often each blob is asked for. */
export class MemoryRegistry implements RegistryReader {
  readonly requests: Digest[] = [];

  constructor(
    readonly layers: readonly Layer[],
    readonly config: ImageConfiguration,
    /** Makes the stream of a blob; by default its bytes in pieces of 64 KiB. */
    readonly stream: (bytes: Buffer, attempt: number) => Readable = (bytes) => Readable.from(pieces(bytes)),
  ) {}

  async manifest(): ReturnType<RegistryReader["manifest"]> {
    const bytes = Buffer.from("{}");
    const describe = ({ mediaType, bytes }: Layer) => ({
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
      annotations: {},
    });
    const config = describe({ mediaType: "application/vnd.oci.image.config.v1+json", bytes });
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    return {
      kind: "image",
      digest: imageDigest,
      mediaType,
      bytes,
      annotations: {},
      config,
      layers: this.layers.map(describe),
    };
  }

  async imageConfig(): Promise<ImageConfiguration> {
    return this.config;
  }

  async blob(_repository: string, digest: Digest): Promise<Readable> {
    const found = this.layers.find(({ bytes }) => digestOf(bytes) === digest);
    if (!found) throw new Error(`no blob ${digest}`);
    this.requests.push(digest);
    return this.stream(found.bytes, this.requests.filter((request) => request === digest).length);
  }
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

export const imageDigest = parseDigest(`sha256:${"1".repeat(64)}`);
export const repository = "registry.example/mirror/app";

/** Looks at images in a registry, here and now. */
export function inspectIn(registry: RegistryReader): CheckRequest["inspect"] {
  return (subject) => inspectImage(subject, registry);
}

/** Checks an image of these layers for linux/arm64, unless told otherwise. */
export async function check(
  layers: readonly Layer[],
  config: Partial<ImageConfiguration> = {},
  request: Partial<CheckRequest> = {},
): Promise<CheckReport> {
  const registry = new MemoryRegistry(layers, configuration(config));
  return checkImage({
    inspect: inspectIn(registry),
    repository,
    digest: imageDigest,
    platform: "linux/arm64",
    environment: {},
    ...request,
  });
}

/** What a check that must fail says; an error of its own when it passes. */
export async function refusal(outcome: Promise<unknown>): Promise<string> {
  try {
    await outcome;
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("the check passed");
}
