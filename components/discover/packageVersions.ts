import { z } from "zod";
import type { TagCandidate } from "../decide/versions";
import { readAnswer } from "./pages";
import type { UpstreamEdges } from "./upstreamEdges";

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
