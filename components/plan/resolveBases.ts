import type { BuildRecipe, NamedContext, ResolvedBase } from "../decide/appPlan";
import {
  type BaseDecision,
  type BaseManifest,
  type BaseNeed,
  baseNeeds,
  decideBase,
  lookupReference,
  manifestFor,
  repairReference,
  requiredPlatform,
} from "../decide/baseImages";
import type { Digest } from "../model/digest";
import { type DockerfileImages, readDockerfileImages } from "../dockerfile/images";
import { DockerfileError } from "../dockerfile/dockerfileError";
import type { PerPlatform, Platform } from "../model/platform";
import { familiarName, formatReference, parseReference } from "../model/reference";
import { reasonOf } from "../model/reasonOf";
import type { BaseRegistry } from "../probe/baseRegistry";

/** Arguments of {@link resolveBases}. */
export interface ResolveBasesOptions {
  readonly dockerfile: { readonly path: string; readonly text: string };
  readonly platforms: readonly Platform[];
  readonly buildArguments: (platform: Platform) => Readonly<Record<string, string>>;
  readonly target?: string;
  /** Keys of the named contexts the app brings itself: references or stage names. */
  readonly provided?: readonly string[];
  /** Platform of the machine that builds, where the Dockerfile asks for it. Default `linux/amd64`. */
  readonly buildPlatform?: Platform;
  readonly registry: BaseRegistry;
}

/** A base as it went into the images of a version: for provenance. */
interface BaseMaterial {
  /** As the Dockerfile writes it, ARGs expanded. */
  readonly reference: string;
  readonly line: number;
  /** What the build uses: `name@sha256:…`, and the digest alone. */
  readonly pinned: string;
  readonly digest: Digest;
  /** Manifest per platform; empty for images only the building machine runs. */
  readonly platforms: PerPlatform<Digest>;
}

/** What the build of one platform is given. */
export interface PlatformBases {
  readonly namedContexts: Readonly<Record<string, NamedContext>>;
  /** Bases this platform's build pulls; the final one carries its layers. */
  readonly bases: readonly ResolvedBase[];
  /** The named context of the app's own that the final stage is built on, if it is. */
  readonly finalContext?: string;
}

/** The bases of a version. */
export interface ResolvedBases {
  readonly platforms: PerPlatform<PlatformBases>;
  readonly materials: readonly BaseMaterial[];
  /** Image of the `# syntax=` directive, pinned: no named context reaches it, a build argument does. */
  readonly frontend?: NonNullable<BuildRecipe["frontend"]>;
  readonly warnings: readonly string[];
}

/**
 * Resolves every image a version's builds pull, before anything is built, and pins each by digest:
 * an index that a Dockerfile pins stays; a pinned single-platform manifest gives way to the index of the same tag;
 * an unpinned base is pinned to the index its tag names now.
 * @throws DockerfileError naming file and line when a base lacks a wanted platform, does not exist or cannot be looked up;
 * Error for a provided context that the Dockerfile does not use, or that is not in BuildKit's short form
 */
export async function resolveBases(options: ResolveBasesOptions): Promise<ResolvedBases> {
  const { dockerfile, registry } = options;
  const provided = (options.provided ?? []).map(providedKey);
  const images = new Map(options.platforms.map((platform) => [platform, readImages(options, platform, provided)]));
  const needs = baseNeeds(dockerfile.path, images, provided);
  const decisions = await Promise.all(needs.map((need) => decide(need, registry)));
  const byKey = new Map(decisions.map((decision) => [decision.need.key, decision]));
  const platforms: Record<Platform, PlatformBases> = {};
  for (const [platform, { references }] of images) {
    platforms[platform] = await platformBases(platform, references, byKey, registry);
  }
  const syntax = [...images.values()][0]?.syntax;
  const frontend = syntax === undefined ? undefined : await pinFrontend(syntax, options);
  return {
    platforms,
    materials: decisions.map(material),
    ...(frontend && { frontend }),
    warnings: [
      ...decisions.flatMap(({ need, warning }) =>
        warning === undefined ? [] : [`${JSON.stringify(need.path)} line ${need.line}: ${warning}`],
      ),
      ...undeclared(dockerfile.path, images),
    ],
  };
}

function undeclared(path: string, images: ReadonlyMap<Platform, DockerfileImages>): readonly string[] {
  const names = new Set([...images.values()].flatMap((one) => one.undeclared));
  return [...names].map(
    (name) => `the build argument ${JSON.stringify(name)} has no effect: no ARG of ${JSON.stringify(path)} declares it`,
  );
}

async function pinFrontend(
  reference: string,
  { dockerfile: { path }, registry }: ResolveBasesOptions,
): Promise<NonNullable<BuildRecipe["frontend"]>> {
  const refuse = (reason: string, options?: ErrorOptions): DockerfileError =>
    new DockerfileError(path, 1, `its syntax image ${JSON.stringify(reference)} ${reason}`, options);
  const name = parseReference(reference);
  const found = await registry.lookUp(reference).catch((cause: unknown) => {
    throw refuse(`cannot be looked up: ${reasonOf(cause)}`, { cause });
  });
  if (!found) throw refuse("does not exist");
  const { registry: host, repository } = name;
  return {
    reference,
    pinned: formatReference({ registry: host, repository, digest: found.digest }),
    digest: found.digest,
  };
}

/** BuildKit compares keys as they are and ignores one in another form in silence. */
function providedKey(key: string): string {
  const familiar = familiarName(parseReference(key));
  if (key === familiar) return key;
  throw new Error(
    `${JSON.stringify(key)} matches no FROM as the key of a named context; write ${JSON.stringify(familiar)}`,
  );
}

function readImages(options: ResolveBasesOptions, platform: Platform, provided: readonly string[]): DockerfileImages {
  return readDockerfileImages({
    ...options.dockerfile,
    buildArguments: options.buildArguments(platform),
    ...(options.target !== undefined && { target: options.target }),
    targetPlatform: platform,
    buildPlatform: options.buildPlatform ?? "linux/amd64",
    contexts: provided,
  });
}

async function decide(need: BaseNeed, registry: BaseRegistry): Promise<BaseDecision> {
  const found = await lookUp(need, lookupReference(need), registry);
  const repair = found && repairReference(need, found);
  const index = repair === undefined ? undefined : await lookUp(need, repair, registry);
  return decideBase(need, found, index);
}

async function lookUp(need: BaseNeed, reference: string, registry: BaseRegistry): Promise<BaseManifest | undefined> {
  try {
    return await registry.lookUp(reference);
  } catch (cause) {
    throw unanswered(need, reference, cause);
  }
}

async function platformBases(
  platform: Platform,
  references: DockerfileImages["references"],
  decisions: ReadonlyMap<string, BaseDecision>,
  registry: BaseRegistry,
): Promise<PlatformBases> {
  const namedContexts: Record<string, NamedContext> = {};
  const bases = new Map<string, ResolvedBase>();
  let finalContext: string | undefined;
  for (const reference of references) {
    const key = familiarName(parseReference(reference.reference));
    const decision = decisions.get(key);
    if (!decision) {
      if (reference.isFinalBase) finalContext = key;
      continue;
    }
    const { pinned, manifest, replaced, need } = decision;
    if (replaced) namedContexts[key] = { kind: "reference", location: `docker-image://${pinned}` };
    const base = { reference: need.written, pinned, digest: manifest.digest };
    const wanted = requiredPlatform(reference, platform);
    const own = wanted === undefined ? undefined : manifestFor(manifest, wanted);
    if (reference.isFinalBase && own !== undefined) {
      bases.set(key, { ...base, final: true, layers: await layersOf(need, own, registry) });
    } else if (!bases.has(key)) bases.set(key, { ...base, final: reference.isFinalBase });
  }
  return { namedContexts, bases: [...bases.values()], ...(finalContext !== undefined && { finalContext }) };
}

async function layersOf(need: BaseNeed, digest: Digest, registry: BaseRegistry): Promise<readonly Digest[]> {
  const { registry: host, repository } = need.name;
  const reference = formatReference({ registry: host, repository, digest });
  try {
    return await registry.layers(reference);
  } catch (cause) {
    throw unanswered(need, reference, cause);
  }
}

function material({ need, pinned, manifest }: BaseDecision): BaseMaterial {
  const platforms: Record<Platform, Digest> = {};
  for (const platform of need.platforms) {
    const digest = manifestFor(manifest, platform);
    if (digest) platforms[platform] = digest;
  }
  return { reference: need.written, line: need.line, pinned, digest: manifest.digest, platforms };
}

function unanswered({ path, line }: BaseNeed, reference: string, cause: unknown): DockerfileError {
  const reason = reasonOf(cause);
  return new DockerfileError(path, line, `the base ${JSON.stringify(reference)} cannot be looked up: ${reason}`, {
    cause,
  });
}
