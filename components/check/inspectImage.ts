import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import { elfMismatch, locateProgram, programProblem, startedPrograms } from "./elfMismatch";
import type { FileTree, Resolution } from "./fileTree";
import { identicalProblem, replacementProblem, wantedChecksum, type IdenticalFile } from "./identical";
import { ImageReader, type RegistryReader } from "./imageReader";
import { RegistryClient } from "../registry/registryClient";

/** One finished image of one platform, and what must hold of it: plain data. */
export interface ImageSubject {
  /** `host/namespace/name`, without tag or digest. */
  readonly repository: string;
  /** The platform's image manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** Layers of the resolved base image; they are not ours to judge. */
  readonly baseLayers?: readonly Digest[];
  /** Absolute paths in the image, files or folders, where programs for other machines belong. */
  readonly foreign?: readonly string[];
  readonly identical?: IdenticalFile;
}

/** What an image holds that must not be in it, or lacks. */
export interface Inspection {
  readonly problems: readonly string[];
  readonly checkedFiles: number;
  readonly bytesRead: number;
}

/**
 * Looks at what an image holds and says about itself, from the registry alone. Nothing that upstream wrote makes it take more than
 * the bounds of {@link ImageBounds}, but it may well take minutes.
 * @throws Error when the image cannot be read, LayerError when a layer cannot.
 */
export async function inspectImage(request: ImageSubject, registry: RegistryReader): Promise<Inspection> {
  const { repository, platform, identical, baseLayers = [] } = request;
  const manifest = await registry.manifest(`${repository}@${request.digest}`);
  if (manifest?.kind !== "image") {
    throw new Error(
      `the registry answers with ${manifest ? "an index, not the image of one platform" : "no such manifest"}`,
    );
  }
  const wanted = identical && wantedChecksum(identical);
  const reader = new ImageReader(registry, repository, manifest, baseLayers, wanted);
  const [config, tree] = await Promise.all([registry.imageConfig(repository, manifest), reader.ownTree()]);
  const judged = judgeFiles(tree, request);
  const lookups = await lookUp(reader, tree, [
    ...startedPrograms(config).map((started) => (layers: FileTree) => locateProgram(layers, config, started.program)),
    ...(identical ? [(layers: FileTree) => layers.resolve(identical.path)] : []),
  ]);
  const misnamed = `the image configuration names the platform ${config.platform}, wanted is ${platform}`;
  const problems = [config.platform === platform ? undefined : misnamed, ...judged.problems];
  for (const [index, started] of startedPrograms(config).entries()) {
    const found = lookups[index];
    // A program of our own layers that does not fit has been named already.
    if (found && !judged.faulty.has(found.path)) problems.push(programProblem(started, found, platform));
  }
  const compared = lookups.at(-1);
  if (identical && compared) {
    problems.push(await identicalProblem(identical, compared, (layer, sum) => reader.rehash(layer, sum)));
    if (identical.replaces) problems.push(replacementProblem(identical, await reader.wantedVersions()));
  }
  return {
    problems: problems.filter((problem) => problem !== undefined),
    checkedFiles: judged.count,
    bytesRead: reader.bytesRead,
  };
}

let client: RegistryClient | undefined;

/** {@link inspectImage} of a process of its own, which reads with the credentials of its environment. */
export async function inspectApart(subject: ImageSubject): Promise<Inspection> {
  return inspectImage(subject, (client ??= new RegistryClient()));
}

function judgeFiles(tree: FileTree, request: ImageSubject): { problems: string[]; faulty: Set<string>; count: number } {
  const executables = tree.files().filter(({ file }) => file.executable);
  const faulty = new Set<string>();
  const problems = executables
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ path, file }) => {
      const mismatch = isBelow(path, request.foreign ?? [])
        ? undefined
        : elfMismatch(file.head, request.platform, path);
      if (mismatch === undefined) return [];
      faulty.add(path);
      return [`${JSON.stringify(path)} ${mismatch}`];
    });
  return { problems, faulty, count: executables.length };
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`));
}

/** Answers every lookup, going down into the base layers only as long as one of them is missing. */
async function lookUp(
  reader: ImageReader,
  ownTree: FileTree,
  lookups: readonly ((tree: FileTree) => Resolution)[],
): Promise<readonly Resolution[]> {
  const answer = (tree: FileTree): Resolution[] => lookups.map((lookup) => lookup(tree));
  let answers = answer(ownTree);
  const open = (): boolean => answers.some(({ state }) => state === "missing");
  if (!open()) return answers;
  for await (const tree of reader.treesWithBase()) {
    answers = answer(tree);
    if (!open()) break;
  }
  return answers;
}
