import { z } from "zod";
import { checked } from "../config/problems";
import { type Digest, isDigest } from "../model/digest";
import {
  type CopiedManifests,
  type MissingReferrer,
  type ReferrerReader,
  describeReferrer,
  missingReferrers,
} from "../probe/missingReferrers";
import type { FallbackList } from "../registry/fallbackReferrers";
import type { Descriptor } from "../registry/manifest";
import { type ContentEdges, copyContent } from "./copyContent";

const repository = z.string().regex(/^[^\s@]+\/[^\s@]+$/, "accepted is registry/repository");
const digest = z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits');

const schema = z.strictObject({
  from: repository,
  to: repository,
  digests: z.array(digest).min(1),
  /** Of the version's index: what makes the command wait for it. */
  indexDigest: digest,
  /** When the run began. */
  startedOn: z.iso.datetime(),
});

/** Everything the runner needs to copy the referrers of one version. Stored in the state: holds no secret. */
export type CopyPlan = z.output<typeof schema>;

/** Environment variable that carries the plan as JSON. */
export const copyPlanVariable = "MULTIARCH_MIRROR_REFERRERS";

/** Reads a plan from the variable's text. @throws Error listing each field at fault by its path. */
export function parseCopyPlan(variable: string | undefined): CopyPlan {
  let value: unknown;
  try {
    value = JSON.parse(variable ?? "");
  } catch (cause) {
    throw new Error(`${copyPlanVariable} holds no JSON; it is set by the program`, { cause });
  }
  return checked(schema, value, "the plan of referrers to copy is not valid");
}

/** What copying rests on. */
export interface CopyEdges extends ContentEdges {
  readonly reader: ReferrerReader & ContentEdges["reader"];
  readonly lists: Pick<FallbackList, "attach">;
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
      const reason = cause?.message ?? `it was written, but the registry of ${copies.to} does not list it`;
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
    await copyContent(manifest, { from: this.from, to: this.to, allow: (blob) => this.#allow(blob) }, this.edges);
    if (tag !== undefined) {
      const name = `${this.to}:${tag}`;
      await locked(name, async () => {
        if (!(await reader.exists(name))) await writer.putManifest(name, manifest.mediaType, manifest.bytes);
      });
      return;
    }
    await locked(`${this.to}@${subject}`, async () => {
      await lists.attach(this.to, subject, [manifest]);
    });
  }

  #allow({ digest, size }: Descriptor): void {
    this.#bytes += size;
    if (size > longestBlob) throw new Error(`blob ${digest} is of ${size} bytes; accepted are ${longestBlob}`);
    if (this.#bytes > mostBytes) throw new Error(`the referrers are of more than ${mostBytes} bytes together`);
  }
}
