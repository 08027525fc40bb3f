import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { acceptedRepository, parseRepository, acceptedRepositoryPath, isRepositoryPath } from "../model/source";
import { GitRepository, type TreeFile, SourceTreeError } from "./gitRepository";
import type { gitReferenceOf } from "../model/release";
import { printable } from "../model/safeText";
import { readKept, writeWhole } from "../system/placeWhole";

/** Which files of which commit. */
export interface SourceRequest {
  /** http(s) URL of the repository, ending in `.git`. */
  readonly url: string;
  /** 40 lower-case hex digits. */
  readonly commit: string;
  /** Relative to the root of the repository, `/` between parts. */
  readonly paths: readonly string[];
  /** Those of them that have to be there. */
  readonly needed?: readonly string[];
  /** Where answers are kept: what a commit holds never changes. */
  readonly cacheDirectory: string;
  /** Where to find the commit when the host serves no bare commits. */
  readonly reference?: ReturnType<typeof gitReferenceOf>;
  /** Longest time for one git command. Default two minutes. */
  readonly timeoutMs?: number;
}

/** The files asked for. */
export interface SourceTree {
  /** Text per path; undefined when the commit has no such file. */
  readonly files: ReadonlyMap<string, string | undefined>;
  /** Paths of files that are read through a symbolic link: their own, or one of their folders'. */
  readonly linked?: readonly string[];
  /** Needed paths that are not there, with what there is instead that differs by case alone. */
  readonly misspelt?: ReadonlyMap<string, string>;
  /** Date of the commit, ISO 8601. */
  readonly committedAt: string;
}

const largestFile = 1024 * 1024;

const cacheSchema = z.strictObject({
  committedAt: z.iso.datetime({ offset: true }),
  files: z.record(z.string(), z.string().nullable()),
  linked: z.array(z.string()),
  misspelt: z.record(z.string(), z.string()).default({}),
});
type Cached = z.infer<typeof cacheSchema>;

/**
 * Reads a few files of one commit of any git host, without cloning the rest: one commit with its trees is fetched into
 * a folder of its own, then the files. Two processes at once do not meet; answers are kept by writing aside and renaming.
 * A symbolic link is followed within the tree.
 * @throws SourceTreeError
 */
export async function readSource(request: SourceRequest): Promise<SourceTree> {
  const url = checkRequest(request);
  const { commit, paths, cacheDirectory } = request;
  const cacheFile = join(cacheDirectory, "sources", createHash("sha256").update(url).digest("hex"), `${commit}.json`);
  const cached = readKept(cacheFile, cacheSchema);
  if (cached && paths.every((path) => Object.hasOwn(cached.files, path))) return answer(cached, paths);
  const read = await readRemote(request);
  const fresh = {
    committedAt: read.committedAt,
    files: { ...cached?.files, ...read.files },
    linked: [...new Set([...(cached?.linked ?? []), ...read.linked])],
    misspelt: { ...cached?.misspelt, ...read.misspelt },
  };
  // A full or read-only disk costs time in the next run, nothing else.
  await writeWhole(cacheFile, JSON.stringify(fresh)).catch(() => undefined);
  return answer(fresh, paths);
}

/** Some hosts hand out only what a tag or branch names, and then all of it. */
async function readRemote(request: SourceRequest): Promise<Cached> {
  const { commit, reference } = request;
  try {
    return await readThrough(request, (repository) => repository.fetchCommit(commit));
  } catch (error) {
    const refused = error instanceof SourceTreeError && error.fault === "git";
    if (!refused || !reference || reference.kind === "commit") throw error;
    const place = reference.kind === "tag" ? "tags" : "heads";
    return readThrough(request, (repository) => repository.fetchReference(`refs/${place}/${reference.name}`));
  }
}

async function readThrough(
  request: SourceRequest,
  fetch: (repository: GitRepository) => Promise<void>,
): Promise<Cached> {
  const { url, commit, paths, needed = [], cacheDirectory, timeoutMs = 120_000, reference } = request;
  const repository = await GitRepository.create(join(cacheDirectory, "fetching"), url, timeoutMs);
  try {
    await fetch(repository);
    const { commit: fetched, committedAt } = await repository.fetched();
    if (fetched !== commit) {
      const name = printable(reference?.name ?? commit, 200);
      const problem = `${name} of ${JSON.stringify(url)} is at ${fetched}, not at ${commit}; run again to resolve it anew`;
      throw new SourceTreeError("moved", problem);
    }
    const files = paths.length === 0 ? [] : await repository.files(commit, paths, largestFile);
    const own = paths.length === 0 ? [] : await repository.ownFiles(commit, paths);
    const texts = files.map(
      (file, position) => [paths[position], textOf(file, paths[position] ?? "") ?? null] as const,
    );
    const absent = needed.filter((path) => texts.some(([asked, text]) => asked === path && text === null));
    const misspelt = absent.length === 0 ? {} : inAnotherCase(absent, await repository.paths());
    return {
      committedAt,
      files: Object.fromEntries(texts) as Cached["files"],
      linked: texts.flatMap(([path = "", text]) => (text === null || own.includes(path) ? [] : [path])),
      misspelt,
    };
  } finally {
    await repository.remove();
  }
}

/** What stands in the place of files but for upper and lower case. */
function inAnotherCase(absent: readonly string[], all: readonly string[]): Cached["misspelt"] {
  const others = absent.map((path) => [path, all.find((other) => other.toLowerCase() === path.toLowerCase())] as const);
  return Object.fromEntries(others.flatMap(([path, other]) => (other === undefined ? [] : [[path, other]])));
}

function checkRequest({ url, commit, paths, reference }: SourceRequest): string {
  const refuse = (message: string): SourceTreeError => new SourceTreeError("input", message);
  if (!/^[0-9a-f]{40}$/.test(commit))
    throw refuse(`${JSON.stringify(commit)} is not a commit; accepted are 40 lower-case hex digits`);
  for (const path of paths) {
    if (isRepositoryPath(path)) continue;
    throw refuse(`${printable(path, 200)} is not a path within a repository; accepted is ${acceptedRepositoryPath}`);
  }
  // What git's own rules for reference names forbid, so that the name cannot become a refspec.
  if (
    reference &&
    (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$/.test(reference.name) || reference.name === "")
  ) {
    throw refuse(`${printable(reference.name, 200)} is not a ${reference.kind} name git accepts`);
  }
  if (parseRepository(url)?.kind === "git") return url;
  throw refuse(`${printable(url, 200)} is not a repository; accepted is ${acceptedRepository}`);
}

function textOf(file: TreeFile, path: string): string | undefined {
  const refuse = (why: string): SourceTreeError => new SourceTreeError("content", `${printable(path, 200)} ${why}`);
  switch (file.kind) {
    case "file":
      return decode(file.bytes, path);
    case "absent":
      return undefined;
    case "outside":
      throw refuse(`is a symbolic link out of the repository, to ${printable(file.target, 200)}`);
    case "loop":
      throw refuse("goes through too many symbolic links");
    default:
      return file satisfies never;
  }
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SourceTreeError("content", `${printable(path, 200)} is not UTF-8 text`, { cause });
  }
}

function answer({ committedAt, files, linked, misspelt }: Cached, paths: readonly string[]): SourceTree {
  const asked = new Map(paths.map((path) => [path, files[path] ?? undefined]));
  const through = linked.filter((path) => paths.includes(path));
  return { committedAt, files: asked, linked: through, misspelt: new Map(Object.entries(misspelt)) };
}
