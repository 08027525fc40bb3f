import { z } from "zod";
import { type TagCandidate, collectVersions, namesALine } from "../decide/versions";
import type { AppSpecification } from "../model/appSpecification";
import type { Discovery, Release } from "../model/release";
import { readAnswer } from "./pages";
import type { UpstreamEdges } from "./upstreamEdges";

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
      ...all.filter((tag) => lines.has(tag)).map((tag) => ({ tag, reason: namesALine })),
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

/** The document of a package in a registry that speaks npm's protocol. */
const npmPackage = z.object({
  versions: z.record(
    z.string(),
    z.object({ gitHead: z.unknown().optional(), deprecated: z.union([z.string(), z.boolean()]).nullish() }),
  ),
  time: z.record(z.string(), z.unknown()).optional(),
});

/** A project's page in the JSON form of the simple repository API: PEP 691, with the versions of PEP 700. */
const pythonProject = z.object({
  versions: z.array(z.string(), "an index by PEP 700, which lists the versions, is accepted"),
  files: z.array(
    z.object({
      filename: z.string(),
      yanked: z.union([z.boolean(), z.string()]).optional(),
      "upload-time": z.string().nullish(),
    }),
  ),
});

/**
 * Reads the versions of a package, each with the commit it was published from where the registry tells it.
 * @param address of the package in its registry; see `resolveSource`.
 * @throws Error when the answer is not 200 or not of the form.
 */
export async function packageVersions(
  edges: Pick<UpstreamEdges, "get">,
  { kind, address }: { readonly kind: "npm" | "pypi"; readonly address: string },
): Promise<readonly TagCandidate[]> {
  return kind === "npm" ? npmVersions(edges, address) : pythonVersions(edges, address);
}

async function npmVersions(edges: Pick<UpstreamEdges, "get">, address: string): Promise<readonly TagCandidate[]> {
  const { versions, time = {} } = readAnswer(address, await edges.get(address), npmPackage, "package");
  return Object.entries(versions).map(([tag, { gitHead, deprecated }]) => ({
    tag,
    withdrawn: deprecated !== undefined && deprecated !== null && deprecated !== false && deprecated !== "",
    ...(typeof gitHead === "string" && { commit: gitHead }),
    ...published(time[tag]),
  }));
}

async function pythonVersions(edges: Pick<UpstreamEdges, "get">, address: string): Promise<readonly TagCandidate[]> {
  const answer = await edges.get(address, "application/vnd.pypi.simple.v1+json");
  const { versions, files } = readAnswer(address, answer, pythonProject, "page of a project");
  return versions.map((tag) => {
    const own = files.filter(({ filename }) => versionIn(filename) === tag);
    const [first] = own.flatMap(({ "upload-time": time }) => time ?? []).toSorted();
    const withdrawn = own.length > 0 && own.every(({ yanked }) => yanked !== undefined && yanked !== false);
    return { tag, withdrawn, ...published(first) };
  });
}

/** A wheel's second part; all after the last dash of a source archive. */
function versionIn(filename: string): string | undefined {
  return filename.endsWith(".whl")
    ? filename.split("-")[1]
    : /-([^-]+?)\.(?:tar\.(?:gz|bz2|xz)|tgz|zip|egg)$/.exec(filename)?.[1];
}

function published(time: unknown): Pick<TagCandidate, "publishedAt"> {
  const read = z.iso.datetime({ offset: true }).safeParse(time);
  return read.success ? { publishedAt: read.data } : {};
}

/** The commits of names that are no tags of the repository but may be those of one: `1.2.3` is `v1.2.3` or `name@1.2.3` there. */
export function withRepositoryTags(
  candidates: readonly TagCandidate[],
  tags: ReadonlyMap<string, string>,
  packageName?: string,
): readonly TagCandidate[] {
  const bare = packageName?.replace(/^@[^/]*\//, "");
  const names = (tag: string): readonly string[] => [
    ...[tag, `v${tag}`],
    ...(packageName === undefined
      ? []
      : [`${packageName}@${tag}`, `${bare}@${tag}`, `${bare}-${tag}`, `${bare}-v${tag}`]),
  ];
  return candidates.map((candidate) => {
    const gitTag = names(candidate.tag).find((name) => tags.has(name));
    const commit = gitTag === undefined ? candidate.commit : tags.get(gitTag);
    return { ...candidate, ...(commit !== undefined && { commit }), gitTag: gitTag ?? null };
  });
}
