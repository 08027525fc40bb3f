import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type PlatformBases, type ReadImages, resolveBases, triggerProblem } from "./resolveBases";
import type { BuildRecipe, NamedContext, UnpublishedBase } from "../decide/appPlan";
import type { AppSpecification, ArgumentSource, BaseImage } from "../model/appSpecification";
import type { SourceRequest as SourceTreeRequest, SourceTree } from "../discover/sourceTree";
import { printable } from "../model/safeText";
import { imageLabels } from "../decide/labels";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import { type Release, buildTarget, gitReferenceOf } from "../model/release";
import { inTime } from "../model/tagRule";
import { resolveSource } from "../model/source";
import type { AppBase, AppBases } from "./appBases";
import type { BuildRequest, PreparedBuild } from "./planEdges";
import type { BaseRegistry } from "../probe/baseRegistry";

/** What a source tree is asked for. */
export type SourceRequest = Required<Pick<SourceTreeRequest, "url" | "commit" | "reference" | "paths" | "needed">>;

/** The ways preparing a build reaches the outside. All of them only read. */
export interface RecipeEdges {
  /** Texts of the files asked for, as far as the commit has them, and when it was made. */
  readonly readSource: (request: SourceRequest) => Promise<SourceTree>;
  /** Checksum of each file by URL. */
  readonly checksums: (
    specification: AppSpecification,
    release: Release,
    platform: Platform,
  ) => Promise<Readonly<Record<string, Digest>>>;
  /** Answers about the images an app may build on. */
  readonly bases: (specification: AppSpecification) => BaseRegistry;
  readonly appBases: Pick<AppBases, "find">;
  /** Reads a Dockerfile of an app where it can be stopped. */
  readonly readImages?: (app: string) => ReadImages;
}

/**
 * Turns a version into finished recipes, one per platform: reads the Dockerfile of the very commit, resolves what it builds on,
 * and fetches checksums.
 * @throws Error saying why the version cannot be built; DockerfileError with file and line.
 */
export async function prepareBuild(request: BuildRequest, edges: RecipeEdges): Promise<PreparedBuild> {
  const { specification, settings, release, platforms } = request;
  const { url } = resolveSource(specification.source, settings.repository);
  const paths = new Map(platforms.map((platform) => [platform, dockerfilePath(specification, platform)]));
  const source = await readFiles(url, request, [...paths.values()], edges);
  const checksums = Object.fromEntries(
    await Promise.all(
      platforms.map(async (platform) => [platform, await edges.checksums(specification, release, platform)] as const),
    ),
  );
  const buildArguments = (platform: Platform) => ({
    ...argumentsFor(specification, release, platform, checksums[platform] ?? {}),
    ...source.arguments,
  });
  const [resolved, appBases] = await Promise.all([
    Promise.all(
      [...source.dockerfiles.values()].map(async (dockerfile) =>
        resolveBases({
          dockerfile,
          platforms: platforms.filter((platform) => paths.get(platform) === dockerfile.path),
          buildArguments,
          provided: (specification.bases ?? []).map(({ context: key }) => key),
          registry: edges.bases(specification),
          ...(edges.readImages && { readImages: edges.readImages(specification.name) }),
          ...(specification.frontends && { frontends: specification.frontends }),
          ...(specification.target !== undefined && { target: specification.target }),
        }),
      ),
    ),
    Promise.all((specification.bases ?? []).map((base) => resolveAppBase(base, request, edges))),
  ]);
  const recipes = platforms.map((platform): BuildRecipe => {
    const { path = "", text = "" } = source.dockerfiles.get(paths.get(platform) ?? "") ?? {};
    const sha256 = createHash("sha256").update(text).digest("hex");
    const bases = resolved.find(({ platforms: all }) => platform in all);
    const own = bases?.platforms[platform] ?? noBases;
    const finalBase = appBases.find(({ key }) => key === own.finalContext);
    const fromApps = Object.fromEntries(appBases.map(({ key, contexts }) => [key, contexts[platform] as NamedContext]));
    return {
      platform,
      context: contextUrl(url, specification, release),
      // docker-build looks for a Dockerfile of another name on the local disk, so its text is handed over.
      dockerfile:
        (specification.ownDockerfile ?? specification.dockerfile) ? { path, sha256, inline: text } : { path, sha256 },
      ...(bases?.frontend && { frontend: bases.frontend }),
      buildArguments: buildArguments(platform),
      namedContexts: { ...own.namedContexts, ...fromApps },
      labels: imageLabels({ specification, release, source: url, committedAt: source.committedAt, bases: own.bases }),
      bases: own.bases,
      fileChecksums: checksums[platform] ?? {},
      limitSeconds: settings.buildLimitSeconds,
      ...(specification.target !== undefined && { target: specification.target }),
      ...(finalBase && { finalBase: { context: finalBase.key, name: finalBase.name } }),
    };
  });
  return {
    recipes,
    unpublishedBases: appBases.flatMap(({ unpublished }) => unpublished),
    warnings: [...source.warnings, ...resolved.flatMap(({ warnings }) => warnings)],
  };
}

/** What the builder will find other than in a checkout of upstream's. */
function sourceWarnings(files: SourceTree["files"]): readonly string[] {
  const [attributes = "", modules = ""] = [files.get(".gitattributes"), files.get(".gitmodules")];
  const lines = attributes.split("\n").map((line) => line.trim().split(/[ \t]+/));
  const kept = lines.filter(([pattern = "", ...set]) => !pattern.startsWith("#") && set.includes("filter=lfs"));
  const names = (values: readonly (string | undefined)[]) => printable(values.slice(0, 5).join(", "), 200);
  const patterns = names(kept.map(([pattern]) => pattern));
  const paths = modules.split("\n").flatMap((line) => /^[ \t]*path[ \t]*=[ \t]*(.+)$/.exec(line)?.[1] ?? []);
  return [
    ...(kept.length > 0 ? [`upstream keeps ${patterns} in Git LFS: the builder finds pointers in their place`] : []),
    ...(paths.length > 0
      ? [`upstream has submodules in ${names(paths)}: the builder fetches them, and no record of the image names them`]
      : []),
  ];
}

/** Path of the Dockerfile of a platform: of this project's own, or in upstream's tree. */
function dockerfilePath(
  { subdirectory, dockerfile, ownDockerfile, name }: AppSpecification,
  platform: Platform,
): string {
  const given = ownDockerfile ?? dockerfile ?? "Dockerfile";
  const path = typeof given === "string" ? given : given[platform];
  if (path === undefined)
    throw new Error(
      `app ${JSON.stringify(name)} has no Dockerfile for ${platform}; it names one for ${Object.keys(given).join(", ")}`,
    );
  return ownDockerfile !== undefined || subdirectory === undefined ? path : `${subdirectory}/${path}`;
}

interface SourceFiles {
  /** By path. */
  readonly dockerfiles: ReadonlyMap<string, { readonly path: string; readonly text: string }>;
  readonly arguments: Readonly<Record<string, string>>;
  readonly committedAt: string;
  readonly warnings: readonly string[];
}

/** Reads all that is wanted of the commit at once. An app with a Dockerfile of ours may have none upstream. */
async function readFiles(
  url: string,
  { specification, release }: BuildRequest,
  dockerfiles: readonly string[],
  edges: RecipeEdges,
): Promise<SourceFiles> {
  const { ownDockerfile, argumentsFromFiles = {} } = specification;
  const distinct = [...new Set(dockerfiles)];
  const needed = [
    ...(ownDockerfile === undefined ? distinct : []),
    ...Object.values(argumentsFromFiles).map(({ path }) => path),
  ];
  const attributes = [...new Set(distinct.flatMap(attributeFiles))];
  const paths = [...new Set([...needed, ...attributes, ".gitattributes", ".gitmodules"])];
  const { commit } = release;
  const request = { url, commit, reference: gitReferenceOf(release), paths, needed };
  const { files, misspelt, committedAt } = await edges.readSource(request);
  if (ownDockerfile === undefined)
    for (const path of distinct) for (const file of attributeFiles(path)) refuseEncoding(path, file, files.get(file));
  const text = (path: string): string => {
    const found = files.get(path);
    if (found !== undefined) return found;
    const other = misspelt?.get(path);
    const hint = other === undefined ? "" : `; there is ${printable(other, 200)}, which the app's file may name`;
    throw new Error(`commit ${commit} of ${url} has no file ${JSON.stringify(path)}${hint}`);
  };
  const read = async (path: string) => (ownDockerfile === undefined ? text(path) : readFile(path, "utf8"));
  return {
    dockerfiles: new Map(
      await Promise.all(distinct.map(async (path) => [path, { path, text: await read(path) }] as const)),
    ),
    arguments: Object.fromEntries(
      Object.entries(argumentsFromFiles).map(([name, from]) => [name, argumentFrom(name, from, text(from.path))]),
    ),
    committedAt,
    warnings: sourceWarnings(files),
  };
}

/** The files that may say how git writes a file, from the root to its folder. */
function attributeFiles(path: string): readonly string[] {
  const folders = path.split("/").slice(0, -1);
  return [[], ...folders.map((_, depth) => folders.slice(0, depth + 1))].map((at) =>
    [...at, ".gitattributes"].join("/"),
  );
}

/** What BuildKit finds in its working tree would read otherwise than the commit's file, which is what was looked at. */
function refuseEncoding(path: string, file: string, attributes = ""): void {
  const set = attributes.split("\n").filter((line) => line.includes("working-tree-encoding"));
  const [extension = ""] = /\.[A-Za-z0-9]+$/.exec(path) ?? [];
  const isOther = (line: string) => {
    const [, named] = /^\*(\.[A-Za-z0-9]+)[ \t]/.exec(line) ?? [];
    return named !== undefined && named.toLowerCase() !== extension.toLowerCase();
  };
  const found = set.find((line) => !isOther(line));
  if (found === undefined) return;
  const problem = `${JSON.stringify(file)} of the commit has it written in another encoding: ${printable(found, 200)}`;
  throw new Error(`${JSON.stringify(path)} may not be what the builder reads: ${problem}`);
}

/** A version, a name, a path; nothing that means something to a shell a Dockerfile may hand it to. */
const harmless = /^[A-Za-z0-9][A-Za-z0-9._+:/@~-]{0,199}$/;

function argumentFrom(name: string, { path, pattern }: ArgumentSource, text: string): string {
  const place = `build argument ${name} cannot be read from ${JSON.stringify(path)} of the commit`;
  const value = pattern
    ? inTime(
        `${place}: ${pattern}`,
        () => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).exec(text)?.[1],
      )
    : text.trim();
  if (value === undefined) throw new Error(`${place}: ${String(pattern)} does not match, or captures nothing`);
  if (harmless.test(value)) return value;
  throw new Error(`${place}: ${printable(value)} is not accepted; accepted are letters, digits and . _ + : / @ ~ -`);
}

/** A git context pinned to the commit: BuildKit refuses to build when the tag has moved on. */
function contextUrl(url: string, { subdirectory }: AppSpecification, release: Release): string {
  const { kind, name } = gitReferenceOf(release);
  const query = new URLSearchParams({
    [kind === "commit" ? "ref" : kind]: name,
    checksum: release.commit,
    ...(subdirectory !== undefined && { subdir: subdirectory }),
  });
  return `${url}?${query.toString()}`;
}

function argumentsFor(
  specification: AppSpecification,
  release: Release,
  platform: Platform,
  checksums: Readonly<Record<string, Digest>>,
): Readonly<Record<string, string>> {
  const target = buildTarget(release, platform);
  const sums = (specification.files?.(target) ?? []).flatMap(({ url, checksumArgument }) => {
    const checksum = checksums[url];
    return checksumArgument === undefined || checksum === undefined ? [] : [[checksumArgument, checksum] as const];
  });
  return { ...specification.buildArguments?.(target), ...Object.fromEntries(sums) };
}

const noBases: PlatformBases = { namedContexts: {}, bases: [] };

interface AppContexts {
  readonly key: string;
  /** Its tag, whether it is published under it or not. */
  readonly name: string;
  readonly contexts: PerPlatform<NamedContext>;
  readonly unpublished: readonly UnpublishedBase[];
}

/** The base another app makes, of the same version, for every platform: published, about to be built, or to be built only for this. */
async function resolveAppBase(
  { context: key, app }: BaseImage,
  request: BuildRequest,
  edges: RecipeEdges,
): Promise<AppContexts> {
  const { release, platforms } = request;
  const base = await edges.appBases.find(app, release.version);
  const pending = platforms.filter((platform) => !(platform in base.contexts));
  const contexts = platforms.map((platform): [Platform, NamedContext] => [
    platform,
    base.contexts[platform] ?? { kind: "image", app, version: release.version },
  ]);
  const registry = edges.bases(request.specification);
  await Promise.all(contexts.map(([, context]) => refuseTriggers(`${app} ${release.version}`, context, registry)));
  const unpublished = pending.length > 0 ? await prepareUnpublished(base, pending, edges) : [];
  return { key, name: base.tagged, contexts: Object.fromEntries(contexts), unpublished };
}

/** Of what is built in this run, the Dockerfile has been read. */
async function refuseTriggers(base: string, context: NamedContext, registry: BaseRegistry): Promise<void> {
  if (context.kind !== "reference") return;
  const image = await registry.image(context.location.replace(/^docker-image:\/\//, ""));
  const problem = triggerProblem(base, image);
  if (problem !== undefined) throw new Error(`its base ${base} ${problem}`);
}

async function prepareUnpublished(
  base: AppBase,
  platforms: readonly Platform[],
  edges: RecipeEdges,
): Promise<readonly UnpublishedBase[]> {
  const { specification, settings, repository } = base;
  const release = await base.release();
  const { recipes, unpublishedBases } = await prepareBuild({ specification, settings, release, platforms }, edges);
  return [...unpublishedBases, { app: specification.name, version: release.version, repository, recipes }];
}
