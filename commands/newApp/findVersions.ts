import { z } from "zod";
import type { TagCandidate } from "../../components/decide/versions";
import { discover } from "../../components/discover/discover";
import { forgeReleases, githubReleases } from "../../components/discover/forgeReleases";
import { readRemoteReferences } from "../../components/discover/gitReferences";
import { readAnswer } from "../../components/discover/pages";
import type { UpstreamEdges } from "../../components/discover/upstreamEdges";
import type { Source } from "../../components/model/appSpecification";
import { reasonOf } from "../../components/model/reasonOf";
import type { Discovery } from "../../components/model/release";
import { resolveSource } from "../../components/model/source";
import { compareVersions } from "../../components/model/version";
import { type TagRuleProposal, proposeTagRule } from "./proposeTagRule";

/** Where an app's versions are best learnt, and how its tags are read. */
export interface FoundVersions extends TagRuleProposal {
  readonly source: Source;
  readonly discovery: Discovery;
  /** All tags there are, for a test of the choice. */
  readonly tags: readonly string[];
  /** What was found out on the way. */
  readonly notes: readonly string[];
}

/** What a host says of a repository, for people. */
export interface About {
  readonly description?: string;
  readonly licenses?: string;
  readonly homepage?: string;
}

/**
 * Finds the source of versions of a repository: its releases where it has them and they are not behind its tags, its tags, or
 * its branch where it has no tag that reads as a version.
 * @param url of the git repository, checked.
 * @throws Error when the repository cannot be read, or has neither tags nor a branch.
 */
export async function findVersions(url: string, upstream: UpstreamEdges): Promise<FoundVersions> {
  const { tags, branches } = readRemoteReferences(await upstream.listRemote(url));
  const named = Array.from(tags, ([tag, commit]) => ({ tag, commit }));
  const listed = await releaseList(url, upstream);
  if ("candidates" in listed && listed.candidates.length > 0) {
    const known = new Set(listed.candidates.map(({ tag }) => tag));
    const proposal = proposeTagRule(listed.candidates.filter(({ tag }) => tags.has(tag)));
    const released = await learn(listed.source, proposal, upstream);
    const [tagged] = released ? ((await learn({ kind: "gitTags", url }, proposal, upstream))?.releases ?? []) : [];
    const [highest] = released?.releases ?? [];
    // A tag that upstream lists as a pre-release or draft is no reason; one that it does not list at all is.
    const behind = tagged && highest && compareVersions(tagged.version, highest.version) < 0 && !known.has(tagged.tag);
    if (released && highest && !behind)
      return { ...proposal, source: listed.source, discovery: released, tags: [...known], notes: [] };
    if (behind)
      listed.notes.push(`the highest release is ${highest.tag}, but there is a tag ${tagged.tag}: tags are read`);
  }
  const proposal = proposeTagRule(named);
  const source: Source = { kind: "gitTags", url };
  const discovery = await learn(source, proposal, upstream);
  if (discovery) return { ...proposal, source, discovery, tags: [...tags.keys()], notes: listed.notes };
  const branch = ["main", "master", ...branches.keys()].find((name) => branches.has(name));
  if (branch === undefined)
    throw new Error(`${JSON.stringify(url)} has neither a tag that reads as a version nor a branch`);
  const onBranch: Source = { kind: "gitBranch", url, branch };
  const note = `no tag reads as a version, so that its branch ${JSON.stringify(branch)} is followed`;
  return {
    source: onBranch,
    discovery: await discover(app(onBranch), { edges: upstream }),
    tags: [],
    notes: [...listed.notes, note],
  };
}

/** Asks the host what the repository is; nothing where it does not say. */
export async function aboutRepository(url: string, upstream: UpstreamEdges): Promise<About> {
  const repository = onGithub(url);
  if (repository === undefined) return {};
  try {
    const endpoint = `repos/${repository}`;
    const { description, homepage, license } = readAnswer(
      endpoint,
      await upstream.restApi(endpoint),
      aboutForm,
      "repository",
    );
    const licenses = license?.spdx_id;
    return {
      ...(description && { description }),
      ...(homepage && /^https:\/\//.test(homepage) && { homepage }),
      ...(licenses && licenses !== "NOASSERTION" && { licenses }),
    };
  } catch {
    return {};
  }
}

const aboutForm = z.object({
  description: z.string().nullish(),
  homepage: z.string().nullish(),
  license: z.object({ spdx_id: z.string().nullish() }).nullish(),
});

interface Listed {
  readonly source: Source;
  readonly candidates: readonly TagCandidate[];
  readonly notes: string[];
}

/** The release list of whatever forge the repository is on. A host that has none is no forge. */
async function releaseList(url: string, upstream: UpstreamEdges): Promise<Listed | { readonly notes: string[] }> {
  const repository = onGithub(url);
  const notes: string[] = [];
  if (repository !== undefined) {
    try {
      const { candidates } = await githubReleases(upstream, repository);
      return { source: { kind: "githubReleases", repository }, candidates, notes };
    } catch (error) {
      return { notes: [`its releases cannot be read, so that its tags are: ${reasonOf(error)}`] };
    }
  }
  for (const kind of ["gitlabReleases", "giteaReleases"] as const) {
    try {
      const source = resolveSource({ kind, url });
      if (source.kind !== kind) continue;
      return { source: { kind, url }, candidates: await forgeReleases(upstream, source), notes };
    } catch {
      // Another kind of host, or none.
    }
  }
  return { notes };
}

async function learn(
  source: Source,
  { tagRule }: TagRuleProposal,
  upstream: UpstreamEdges,
): Promise<Discovery | undefined> {
  return discover({ ...app(source), ...(tagRule && { tagRule }) }, { edges: upstream }).catch(() => undefined);
}

function app(source: Source) {
  return { name: "new", source };
}

function onGithub(url: string): string | undefined {
  return /^https:\/\/github\.com\/([^/]+\/[^/]+)\.git$/.exec(url)?.[1];
}
