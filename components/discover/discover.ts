import type { RepositoryOverride } from "../model/gitRepository";
import type { AppSpecification, Source } from "../model/appSpecification";
import type { Discovery, Release, RejectedTag } from "../model/release";
import type { TagCandidate } from "../decide/versions";
import { collectVersions } from "../decide/versions";
import { githubReleases } from "./githubReleases";
import { printable, disarmed } from "../model/safeText";
import type { ResolvedSource } from "../model/source";
import { resolveSource } from "../model/source";
import type { UpstreamEdges } from "./upstreamEdges";
import { readRemoteReferences } from "./gitReferences";
import { RunError } from "@pulumi/pulumi";
import { reasonOf } from "../model/reasonOf";

/** How discovery is to go about it. */
export interface DiscoverOptions {
  /** The stack's override of the repository; see `resolveSource`. */
  readonly repository?: RepositoryOverride | undefined;
  /** The way to the outside, shared by all apps of the run. */
  readonly edges: UpstreamEdges;
}

/**
 * Learns which versions upstream offers for an app, with the commit each tag names now.
 * @throws DiscoveryError, and nothing else, when the source cannot be read completely or offers no version at all:
 *   an empty list would read as "nothing to keep".
 */
export async function discover(specification: AppSpecification, options: DiscoverOptions): Promise<Discovery> {
  const { name, source } = specification;
  try {
    const found = await read(specification, resolveSource(source, options.repository), options.edges);
    if (found.releases.length > 0) return found;
    const rejected = summariseRejected(found.rejected, 3);
    throw new Error(["it offers no version", ...rejected].join("; "));
  } catch (cause) {
    throw new DiscoveryError(name, describe(options.repository ?? source), cause);
  }
}

/** What was asked, for messages; a URL that was refused may carry a password. */
function describe(source: Source | RepositoryOverride): string {
  return "url" in source ? source.url.replace(/\/\/[^/]*@/, "//***@") : source.repository;
}

async function read(specification: AppSpecification, source: ResolvedSource, edges: UpstreamEdges): Promise<Discovery> {
  switch (source.kind) {
    case "githubReleases":
      return readReleases(specification, source, edges);
    case "gitTags": {
      const { tags } = readRemoteReferences(await edges.listRemote(source.url));
      return collectVersions(
        [...tags].map(([tag, commit]) => ({ tag, commit })),
        specification,
      );
    }
    case "gitBranch":
      return { releases: [await readBranch(source, edges)], rejected: [] };
    default:
      return source satisfies never;
  }
}

async function readReleases(
  specification: AppSpecification,
  source: Extract<ResolvedSource, { kind: "githubReleases" }>,
  edges: UpstreamEdges,
): Promise<Discovery> {
  const [list, output] = await Promise.all([githubReleases(edges, source.repository), edges.listRemote(source.url)]);
  const { tags } = readRemoteReferences(output);
  const candidates = list.candidates.map((candidate): TagCandidate => {
    const commit = tags.get(candidate.tag);
    return commit === undefined ? candidate : { ...candidate, commit };
  });
  const found = collectVersions(candidates, specification);
  if (!list.atLimit) return found;
  const limit = `${source.repository} has more releases than GitHub lists`;
  if (found.releases.length > 0)
    return { ...found, warnings: [`${limit}, or as many; older ones may be missing from the list`] };
  const listed = new Set(list.candidates.map(({ tag }) => tag));
  const unlisted = [...tags].filter(([tag]) => !listed.has(tag)).map(([tag, commit]) => ({ tag, commit }));
  return {
    ...collectVersions([...candidates, ...unlisted], specification),
    warnings: [`${limit}, and none of those listed is a version; the repository's tags were read as well`],
  };
}

async function readBranch(
  source: Extract<ResolvedSource, { kind: "gitBranch" }>,
  edges: UpstreamEdges,
): Promise<Release> {
  const { branches } = readRemoteReferences(await edges.listRemote(source.url));
  const commit = branches.get(source.branch);
  if (commit === undefined) throw new Error(`it has no branch ${printable(source.branch)}`);
  return { version: commit.slice(0, 8), tag: source.branch, reference: "branch", commit };
}

/** The versions of one app could not be learnt. It concerns that app alone, and never means that there are none. */
export class DiscoveryError extends RunError {
  override readonly name = "DiscoveryError";
  readonly app: string;

  /**
   * @param app name of the app.
   * @param source the repository or URL that was asked.
   * @param cause what went wrong. Its message may hold upstream's own words, so it is made printable and cut.
   */
  constructor(app: string, source: string, cause: unknown) {
    super(`cannot learn the versions of app ${printable(app)} from ${printable(source, 200)}: ${reason(cause)}`);
    this.app = app;
    this.cause = cause;
  }
}

/** The start says what was done, the end what came of it; git's last line is the one that tells. */
function reason(cause: unknown): string {
  const text = reasonOf(cause);
  const cut = text.length > 600 ? `${text.slice(0, 300)} ... ${text.slice(-300)}` : text;
  return disarmed(cut);
}

/**
 * Lines that tell an operator which upstream tags were turned away: one per tag, up to `limit`, then one that counts the rest by reason.
 * Every line is safe to print; see `printable`.
 */
export function summariseRejected(rejected: readonly RejectedTag[], limit = 20): readonly string[] {
  const lines = rejected.slice(0, limit).map(({ tag, reason }) => `rejected ${printable(tag)}: ${plain(reason)}`);
  const rest = rejected.slice(limit);
  if (rest.length === 0) return lines;
  const counts = new Map<string, number>();
  for (const { reason, kind = plain(reason) } of rest) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const byReason = [...counts].toSorted((left, right) => right[1] - left[1]);
  const shown = byReason.slice(0, 10).map(([reason, count]) => `${count} ${reason}`);
  return [...lines, `rejected ${rest.length} more: ${shown.join("; ")}${byReason.length > 10 ? "; ..." : ""}`];
}

/** Reasons are our own words, but may quote a tag. */
function plain(reason: string): string {
  return disarmed(reason.slice(0, 200));
}
