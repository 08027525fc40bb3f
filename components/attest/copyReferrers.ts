import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";
import type { FallbackList } from "../registry/fallbackReferrers";
import type { Digest } from "../model/digest";
import type { Descriptor, Manifest } from "../registry/manifest";
import type { RegistryWriter } from "../registry/registryWriter";
import {
  type CopiedManifests,
  describeReferrer,
  type MissingReferrer,
  missingReferrers,
  type ReferrerReader,
} from "../probe/missingReferrers";

/** What copying rests on. */
export interface CopyEdges {
  readonly reader: ReferrerReader & { blob(repository: string, digest: Digest): Promise<Readable> };
  readonly writer: Pick<RegistryWriter, "putManifest" | "putBlob">;
  /** The lists of registries without the referrers API. */
  readonly lists: Pick<FallbackList, "add">;
  /** Does work while nobody else of this machine writes about the digest. */
  readonly locked: (reference: string, work: () => Promise<void>) => Promise<void>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** What was done. */
export interface CopySummary {
  /** What was missing and has been copied, in words. */
  readonly copied: readonly string[];
}

const mostTries = 3;
const pauseMs = 1000;
/** Bytes: an SBOM of a large image is some tens of megabytes. */
const longestBlob = 128 * 1024 * 1024;
const mostBytes = 512 * 1024 * 1024;
const deepestIndex = 2;

/**
 * Copies what upstream attached to manifests to the copies of these: by digest, unchanged, each only if it is missing. Looks
 * first and looks again at the end; what failed, or what another writer's list made disappear, is tried again a few times.
 * Nothing is written that was not verified against its digest, and no tag that exists.
 * @throws Error saying what is missing and why, when it is not complete at the end.
 */
export async function copyReferrers(copies: CopiedManifests, edges: CopyEdges): Promise<CopySummary> {
  let missing = await missingReferrers(copies, edges.reader);
  const copied = missing.map(describeReferrer);
  for (let tries = 1; missing.length > 0; tries++) {
    const failures = await copyAll(copies, missing, edges);
    missing = await missingReferrers(copies, edges.reader);
    if (missing.length === 0) break;
    const cause = failures[0];
    if (tries === mostTries) {
      const reason = cause?.message ?? "what was written was lost to another writer";
      const lacking = missing.map(describeReferrer).join(", ");
      throw new Error(`${lacking}, after ${mostTries} tries: ${reason}`, { cause });
    }
    await edges.sleep(pauseMs * tries);
  }
  return { copied };
}

/** One after the other: each may refer to the one before, and all of them may be large. */
async function copyAll(
  { from, to }: CopiedManifests,
  missing: readonly MissingReferrer[],
  edges: CopyEdges,
): Promise<readonly Error[]> {
  const failures: Error[] = [];
  const copier = new Copier(from, to, edges);
  for (const referrer of missing) {
    try {
      await copier.referrer(referrer);
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return failures;
}

class Copier {
  #bytes = 0;

  constructor(
    private readonly from: string,
    private readonly to: string,
    private readonly edges: CopyEdges,
  ) {}

  async referrer({ subject, manifest, tag }: MissingReferrer): Promise<void> {
    const { reader, writer, lists, locked } = this.edges;
    await this.#content(manifest, 0);
    if (tag !== undefined) {
      const name = `${this.to}:${tag}`;
      await locked(name, async () => {
        if (!(await reader.exists(name))) await writer.putManifest(name, manifest.mediaType, manifest.bytes);
      });
      return;
    }
    const { listed } = await writer.putManifest(`${this.to}@${manifest.digest}`, manifest.mediaType, manifest.bytes);
    if (!listed) await locked(`${this.to}@${subject}`, () => lists.add(this.to, subject, entryOf(manifest)));
  }

  /** Everything a manifest names, so that the registry takes it. */
  async #content(manifest: Manifest, depth: number): Promise<void> {
    if (manifest.kind === "image") {
      for (const descriptor of [manifest.config, ...manifest.layers]) await this.#blob(descriptor);
      return;
    }
    if (depth === deepestIndex) throw new Error(`${manifest.digest} nests more than ${deepestIndex} indexes`);
    for (const { digest } of manifest.manifests) {
      const child = await this.edges.reader.manifest(`${this.from}@${digest}`);
      if (!child) throw new Error(`${this.from}@${digest}, which ${manifest.digest} lists, does not exist`);
      await this.#content(child, depth + 1);
      await this.edges.writer.putManifest(`${this.to}@${digest}`, child.mediaType, child.bytes);
    }
  }

  async #blob({ digest, size }: Descriptor): Promise<void> {
    const { reader, writer } = this.edges;
    this.#bytes += size;
    if (size > longestBlob) throw new Error(`blob ${digest} is of ${size} bytes; accepted are ${longestBlob}`);
    if (this.#bytes > mostBytes) throw new Error(`the referrers are of more than ${mostBytes} bytes together`);
    const stream = await reader.blob(this.from, digest);
    await writer.putBlob(this.to, digest, await buffer(exactly(stream, size, `${this.from}@${digest}`)));
  }
}

/** What a stream gives, as long as it is no longer than was said. Its digest is verified by whoever made it. */
async function* exactly(stream: Readable, size: number, what: string): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > size) break;
    yield piece;
  }
  if (length !== size) throw new Error(`blob ${what} is not of the ${size} bytes its manifest says`);
}

function entryOf(manifest: Manifest): Parameters<FallbackList["add"]>[2] {
  const { mediaType, digest, bytes, annotations } = manifest;
  const artifactType = manifest.artifactType ?? (manifest.kind === "image" ? manifest.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}
