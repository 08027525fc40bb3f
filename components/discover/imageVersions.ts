import { z } from "zod";
import { collectVersions, type TagCandidate } from "../decide/versions";
import type { AppSpecification } from "../model/appSpecification";
import type { Discovery, Release } from "../model/release";
import type { UpstreamEdges } from "./upstreamEdges";
import { withRepositoryTags } from "./packageVersions";

/** What the versions of an image are learnt from. */
export interface ImageVersionsRequest {
  /** With its registry: `docker.io/owner/name`. */
  readonly image: string;
  /** Commits of the repository's tags. */
  readonly tags: ReadonlyMap<string, string>;
  readonly specification: Pick<AppSpecification, "tagRule" | "tagStyle">;
  /** Those of all releases that are wanted: only their images are looked at. */
  readonly wanted: (releases: readonly Release[]) => readonly Release[];
}

const revision = "org.opencontainers.image.revision";
const created = "org.opencontainers.image.created";
/** Images whose commit nobody tells make room for older ones, but not for ever. */
const mostRounds = 10;
const unseen = "0".repeat(40);

/**
 * The versions upstream's own image has by its tags. A tag that names a line of others (`5.5` beside `5.5.4`) moves, and is none.
 * Where the repository has no tag for a version, its image's labels are read, which costs requests: only for versions that are wanted.
 * @throws Error when the tags, or the labels of an image that is wanted, cannot be read.
 */
export async function imageVersions(request: ImageVersionsRequest, edges: UpstreamEdges): Promise<Discovery> {
  const all = await edges.imageTags(request.image);
  const lines = new Set(all.flatMap(prefixes));
  const named = all.filter((tag) => !lines.has(tag)).map((tag): TagCandidate => ({ tag }));
  const found = new Map(withRepositoryTags(named, request.tags).map((candidate) => [candidate.tag, candidate]));
  const told = (candidate: TagCandidate): TagCandidate => ({ ...candidate, commit: candidate.commit ?? unseen });
  for (let round = 0; round < mostRounds; round++) {
    const { releases } = collectVersions([...found.values()].map(told), request.specification);
    const missing = request.wanted(releases).filter(({ commit }) => commit === unseen);
    if (missing.length === 0) break;
    const labels = await Promise.all(
      missing.map(async ({ tag }) => [tag, await edges.imageLabels(`${request.image}:${tag}`)] as const),
    );
    for (const [tag, read] of labels) found.set(tag, labelled(tag, read));
  }
  const { releases, rejected } = collectVersions([...found.values()].map(told), request.specification);
  const unknown = releases.filter(({ commit }) => commit === unseen);
  return {
    releases: releases.filter((release) => !unknown.includes(release)),
    rejected: [
      ...rejected.map((tag) => (tag.reason === nameless ? { ...tag, reason: unnamed } : tag)),
      ...unknown.map(({ tag }) => ({ tag, reason: "not among those kept; its commit was not looked up" })),
      ...all.filter((tag) => lines.has(tag)).map((tag) => ({ tag, reason: "names a line of versions" })),
    ],
  };
}

const nameless = "its commit is not 40 hex digits";
const unnamed = `neither a tag of the repository nor its image's label ${revision} tells its commit`;

function labelled(tag: string, labels: Readonly<Record<string, string>>): TagCandidate {
  const date = z.iso.datetime({ offset: true }).safeParse(labels[created]);
  return {
    tag,
    // No commit: turned away, and not asked about again.
    commit: labels[revision] ?? "",
    gitTag: null,
    ...(date.success && { publishedAt: date.data }),
  };
}

/** The lines a tag would be of: `5` and `5.5` of `5.5.4`. */
function prefixes(tag: string): readonly string[] {
  const parts = tag.split(".");
  return parts.slice(0, -1).map((_, position) => parts.slice(0, position + 1).join("."));
}
