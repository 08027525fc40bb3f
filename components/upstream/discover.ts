import type { RepositoryOverride } from "../config/repositoryOverride";
import type { AppSpecification, Source } from "../plan/appSpecification";
import type { Discovery, Release } from "../plan/release";
import type { TagCandidate } from "../plan/versions";
import { collectVersions } from "../plan/versions";
import { DiscoveryError } from "./discoveryError";
import { githubReleases } from "./githubReleases";
import { printable } from "./printable";
import { readRemoteReferences } from "./remoteReferences";
import type { ResolvedSource } from "./resolvedSource";
import { resolveSource } from "./resolvedSource";
import { summariseRejected } from "./summariseRejected";
import type { UpstreamEdges } from "./upstreamEdges";

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
  const warning = `${source.repository} has as many releases as GitHub lists at most; older ones may be missing from the list`;
  return list.atLimit ? { ...found, warnings: [warning] } : found;
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
