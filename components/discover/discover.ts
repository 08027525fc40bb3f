import { type TagCandidate, collectVersions } from "../decide/versions";
import type { AppSpecification, Source } from "../model/appSpecification";
import { reasonOf } from "../model/reasonOf";
import type { Discovery, RejectedTag, Release } from "../model/release";
import { disarmed, printable } from "../model/safeText";
import { type RepositoryOverride, type ResolvedSource, resolveSource } from "../model/source";
import { forgeReleases, githubReleases } from "./forgeReleases";
import { readRemoteReferences } from "./gitReferences";
import { imageVersions, packageVersions, withRepositoryTags } from "./packageVersions";
import type { UpstreamEdges } from "./upstreamEdges";

/** How discovery is to go about it. */
export interface DiscoverOptions {
  /** The stack's override of the repository; see `resolveSource`. */
  readonly repository?: RepositoryOverride | undefined;
  /** Which of all releases are wanted, where more has to be asked about these. Default: all. */
  readonly wanted?: (releases: readonly Release[]) => readonly Release[];
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
    const found = await read(specification, resolveSource(source, options.repository), options);
    if (found.releases.length > 0) return found;
    const rejected = summariseRejected(found.rejected, 3);
    throw new Error(["it offers no version", ...rejected].join("; "));
  } catch (cause) {
    throw new DiscoveryError(name, describe(options.repository ?? source), cause);
  }
}

/** What was asked, for messages; a URL that was refused may carry a password. */
function describe(source: Source | RepositoryOverride): string {
  const address = "url" in source ? source.url.replace(/\/\/[^/]*@/, "//***@") : source.repository;
  return "image" in source ? source.image : "package" in source ? source.package : address;
}

async function read(
  specification: AppSpecification,
  source: ResolvedSource,
  { edges, wanted = (releases) => releases }: DiscoverOptions,
): Promise<Discovery> {
  switch (source.kind) {
    case "githubReleases":
      return readReleases(specification, source, edges);
    case "gitlabReleases":
    case "giteaReleases": {
      const [listed, tags] = await Promise.all([forgeReleases(edges, source), readTags(source.url, edges)]);
      return collectVersions(listed.map(withCommit(tags)), specification);
    }
    case "gitTags":
      return collectVersions(asCandidates(await readTags(source.url, edges)), specification);
    case "gitBranch":
      return { releases: [await readBranch(source, edges)], rejected: [] };
    case "registryTags":
      return imageVersions(
        { image: source.image, tags: await readTags(source.url, edges), specification, wanted },
        edges,
      );
    case "npm":
    case "pypi": {
      const [listed, tags] = await Promise.all([packageVersions(edges, source), readTags(source.url, edges)]);
      return collectVersions(withRepositoryTags(listed, tags, source.package), specification);
    }
    default:
      return source satisfies never;
  }
}

/** Commits by tag. */
type Tags = ReadonlyMap<string, string>;

async function readTags(url: string, edges: UpstreamEdges): Promise<Tags> {
  return readRemoteReferences(await edges.listRemote(url)).tags;
}

function asCandidates(tags: Iterable<readonly [string, string]>): readonly TagCandidate[] {
  return Array.from(tags, ([tag, commit]) => ({ tag, commit }));
}

function withCommit(tags: Tags): (candidate: TagCandidate) => TagCandidate {
  return (candidate) => {
    const commit = tags.get(candidate.tag);
    return commit === undefined ? candidate : { ...candidate, commit };
  };
}

async function readReleases(
  specification: AppSpecification,
  source: Extract<ResolvedSource, { kind: "githubReleases" }>,
  edges: UpstreamEdges,
): Promise<Discovery> {
  const [list, tags] = await Promise.all([githubReleases(edges, source.repository), readTags(source.url, edges)]);
  const candidates = list.candidates.map(withCommit(tags));
  const found = collectVersions(candidates, specification);
  if (!list.atLimit) return found;
  const limit = `${source.repository} has more releases than GitHub lists`;
  if (found.releases.length > 0)
    return { ...found, warnings: [`${limit}, or as many; older ones may be missing from the list`] };
  const listed = new Set(list.candidates.map(({ tag }) => tag));
  const unlisted = asCandidates([...tags].filter(([tag]) => !listed.has(tag)));
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
export class DiscoveryError extends Error {
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
