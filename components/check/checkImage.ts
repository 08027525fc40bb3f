import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import { elfMismatch } from "./elfMismatch";
import type { FileTree, Resolution } from "./fileTree";
import { identicalProblem, replacementProblem, wantedChecksum, type IdenticalFile } from "./identical";
import { ImageReader, type RegistryReader } from "./imageReader";
import { locateProgram, programProblem, startedPrograms } from "./mainExecutable";
import { runSmoke, type SmokeCommand, type SmokeResult } from "./smokeRun";
import { reasonOf } from "../model/reasonOf";

/** One finished image of one platform, and what it must satisfy before its version gets a tag. */
export interface CheckRequest {
  readonly registry: RegistryReader;
  /** `host/namespace/name`, without tag or digest. */
  readonly repository: string;
  /** The platform's image manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** Layers of the resolved base image; they are not ours to judge. */
  readonly baseLayers?: readonly Digest[];
  /** Absolute paths in the image, files or folders, where programs for other machines belong. */
  readonly foreign?: readonly string[];
  readonly smoke?: SmokeCommand;
  readonly identical?: IdenticalFile;
  /** Name of the builder the smoke command runs on; default: the current one. */
  readonly builder?: string;
  /** Environment of the builder's client: PATH, BUILDX_CONFIG, DOCKER_CONFIG, … */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

/** What a passed check looked at. */
export interface CheckReport {
  /** Executable files whose first bytes were judged. */
  readonly checkedFiles: number;
  /** Layer bytes fetched, as stored. */
  readonly bytesRead: number;
  readonly milliseconds: number;
  readonly smoke?: SmokeResult;
}

/**
 * Checks a finished image: its configuration names the platform; every executable file of its own layers, as the final image shows
 * them, is for that platform; what it starts exists; the file to compare is identical; the smoke command answers as expected.
 * Reads the registry only; the smoke command runs last, when all else is right.
 * @throws CheckError with every problem found, also when the image cannot be read or the builder does not answer.
 */
export async function checkImage(request: CheckRequest): Promise<CheckReport> {
  const start = performance.now();
  try {
    const { problems, ...figures } = await inspect(request);
    if (problems.length > 0) throw new CheckError(request, problems);
    const { smoke } = request;
    const result = smoke && (await runSmoke({ ...request, smoke }));
    const milliseconds = Math.round(performance.now() - start);
    return { ...figures, milliseconds, ...(result && { smoke: result }) };
  } catch (error) {
    if (error instanceof CheckError) throw error;
    throw new CheckError(request, [reasonOf(error)], { cause: error });
  }
}

interface Inspection {
  readonly problems: readonly string[];
  readonly checkedFiles: number;
  readonly bytesRead: number;
}

async function inspect(request: CheckRequest): Promise<Inspection> {
  const { registry, repository, platform, identical, baseLayers = [] } = request;
  const manifest = await registry.manifest(`${repository}@${request.digest}`);
  if (manifest?.kind !== "image") {
    throw new Error(
      `the registry answers with ${manifest ? "an index, not the image of one platform" : "no such manifest"}`,
    );
  }
  const config = await registry.imageConfig(repository, manifest);
  const wanted = identical && wantedChecksum(identical);
  const reader = new ImageReader(registry, repository, manifest, baseLayers, wanted);
  const tree = await reader.ownTree();
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

function judgeFiles(tree: FileTree, request: CheckRequest): { problems: string[]; faulty: Set<string>; count: number } {
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

/** How many problems one message lists; the rest is counted. */
const listed = 10;

/**
 * A finished image failed its checks, or could not be checked, and must not get a tag.
 * The message begins with the platform and names each problem, then the image by digest; paths and texts out of the image are escaped.
 */
export class CheckError extends Error {
  override readonly name = "CheckError";
  readonly problems: readonly string[];

  constructor(
    image: { readonly repository: string; readonly digest: Digest; readonly platform: Platform },
    problems: readonly string[],
    options?: ErrorOptions,
  ) {
    const rest = problems.length > listed ? [`and ${problems.length - listed} more`] : [];
    const told = [...problems.slice(0, listed), ...rest].join("; ");
    super(`${image.platform}: ${told} (the image is ${image.repository}@${image.digest})`, options);
    this.problems = problems;
  }
}
