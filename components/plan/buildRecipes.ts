import { createHash } from "node:crypto";
import { type PlatformBases, type ReadImages, resolveBases, triggerProblem } from "./resolveBases";
import type { BuildRecipe, NamedContext, UnpublishedBase } from "../decide/appPlan";
import type { AppSpecification, BaseImage } from "../model/appSpecification";
import { imageLabels } from "../decide/labels";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import { type Release, buildTarget, gitReferenceOf } from "../model/release";
import { resolveSource } from "../model/source";
import type { AppBase, AppBases } from "./appBases";
import type { BuildRequest, PreparedBuild } from "./planEdges";
import type { BaseRegistry } from "../probe/baseRegistry";
import { type ReadSource, readSourceFiles } from "./sourceFiles";

/** The ways preparing a build reaches the outside. All of them only read. */
export interface RecipeEdges {
  readonly readSource: ReadSource;
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
  const source = await readSourceFiles(url, request, edges.readSource);
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
      source.dockerfiles.map(async (dockerfile) =>
        resolveBases({
          ...{ dockerfile, platforms: dockerfile.platforms },
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
    const file = source.dockerfiles.find(({ platforms: all }) => all.includes(platform));
    const { path = "", text = "", inDoubt = false } = file ?? {};
    const sha256 = createHash("sha256").update(text).digest("hex");
    const isHandedOver = Boolean(specification.ownDockerfile ?? specification.dockerfile) || inDoubt;
    const bases = resolved.find(({ platforms: all }) => platform in all);
    const own = bases?.platforms[platform] ?? noBases;
    const finalBase = appBases.find(({ key }) => key === own.finalContext);
    const fromApps = Object.fromEntries(appBases.map(({ key, contexts }) => [key, contexts[platform] as NamedContext]));
    return {
      platform,
      context: contextUrl(url, specification, release),
      // docker-build looks for a Dockerfile of another name on the local disk, so its text is handed over.
      dockerfile: { path, sha256, ...(isHandedOver && { inline: text }) },
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
