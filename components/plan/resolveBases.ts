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
} from "../decide/basePins";
import type { Digest } from "../model/digest";
import { type DockerfileImages, type DockerfileOptions, readDockerfileImages } from "../dockerfile/images";
import { triggerSources } from "../dockerfile/stages";
import { DockerfileError } from "../dockerfile/dockerfileError";
import type { PerPlatform, Platform } from "../model/platform";
import { familiarName, formatReference, parseReference } from "../model/reference";
import { reasonOf } from "../model/reasonOf";
import { printable } from "../model/safeText";
import type { BaseContent, BaseRegistry } from "../probe/baseRegistry";

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
  /** Reads a Dockerfile. Default: here and now, though what upstream wrote may make it take long. */
  readonly readImages?: ReadImages;
  /** Names of images that may read the Dockerfile besides Docker's own. */
  readonly frontends?: readonly string[];
}

/** {@link readDockerfileImages}, wherever that is done. */
export type ReadImages = (options: DockerfileOptions) => DockerfileImages | Promise<DockerfileImages>;

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
  const images = new Map(
    await Promise.all(
      options.platforms.map(async (platform) => [platform, await readImages(options, platform, provided)] as const),
    ),
  );
  for (const { triggered } of images.values()) refuseTriggers(dockerfile.path, triggered);
  const needs = baseNeeds(dockerfile.path, images, provided);
  const decisions = await Promise.all(needs.map((need) => decide(need, registry)));
  const byKey = new Map(decisions.map((decision) => [decision.need.key, decision]));
  const platforms: Record<Platform, PlatformBases> = {};
  for (const [platform, { references }] of images) {
    platforms[platform] = await platformBases(platform, references, byKey, registry);
  }
  const { syntax, doubtful } = [...images.values()][0] ?? {};
  const frontend = syntax === undefined ? undefined : await pinFrontend(syntax, doubtful, options);
  return {
    platforms,
    materials: decisions.map(material),
    ...(frontend && { frontend }),
    warnings: [
      ...decisions.flatMap(({ need, warning }) =>
        warning === undefined ? [] : [`${JSON.stringify(need.path)} line ${need.line}: ${warning}`],
      ),
      ...emulated(dockerfile.path, images),
      ...undeclared(dockerfile.path, images),
    ],
  };
}

/** The finished image is built on to run its smoke command, and by apps that it is a base of. */
function refuseTriggers(path: string, [first]: DockerfileImages["triggered"]): void {
  if (!first) return;
  const problem = `every build on the finished image would begin (ONBUILD) with files from ${printable(first.reference, 200)}`;
  throw new DockerfileError(path, first.line, `${problem}, which cannot be pinned`);
}

/** Stages that run programs of a platform the Dockerfile spells out: no builder of another one can, unless it emulates. */
function emulated(path: string, images: ReadonlyMap<Platform, DockerfileImages>): readonly string[] {
  return [...images].flatMap(([target, { references }]) =>
    references.flatMap(({ platform, runs, stage, line }) => {
      if (platform === "target" || platform === "build" || !runs) return [];
      const needs = `the builder of ${target} has to run them, natively or by emulation`;
      return [`${JSON.stringify(path)} line ${line}: stage ${printable(stage)} runs programs of ${platform}: ${needs}`];
    }),
  );
}

function undeclared(path: string, images: ReadonlyMap<Platform, DockerfileImages>): readonly string[] {
  const names = new Set([...images.values()].flatMap((one) => one.undeclared));
  return [...names].map(
    (name) => `the build argument ${JSON.stringify(name)} has no effect: no ARG of ${JSON.stringify(path)} declares it`,
  );
}

/** The program reads the Dockerfile with the credentials of the build, so it may not be anybody's. */
const trustedFrontends = ["docker/dockerfile", "docker/dockerfile-upstream"];

async function pinFrontend(
  reference: string,
  doubtful: number | undefined,
  { dockerfile: { path }, registry, frontends = [] }: ResolveBasesOptions,
): Promise<NonNullable<BuildRecipe["frontend"]>> {
  const refuse = (reason: string, options?: ErrorOptions): DockerfileError =>
    new DockerfileError(path, 1, `its syntax image ${printable(reference, 200)} ${reason}`, options);
  const answered = async <T>(question: Promise<T>): Promise<T> => {
    try {
      return await question;
    } catch (cause) {
      throw refuse(`cannot be looked up: ${reasonOf(cause)}`, { cause });
    }
  };
  const { registry: host, repository } = await answered(Promise.resolve(reference).then(parseReference));
  const name = `${host}/${repository}`;
  const isOneOf = (names: readonly string[]) => names.some((known) => formatReference(parseReference(known)) === name);
  if (!isOneOf([...trustedFrontends, ...frontends])) {
    const advice = "it would build with the mirror's credentials, so the app's field `frontends` has to name it";
    throw refuse(`is not one of ${trustedFrontends.join(", ")}; ${advice}`);
  }
  const found = await answered(registry.lookUp(reference));
  if (!found) throw refuse("does not exist");
  const pinned = `${name}@${found.digest}`;
  const refused = await answered(registry.refusal(pinned));
  if (refused !== undefined) throw refuse(`may not be used: ${refused}`);
  if (!isOneOf(frontends)) {
    const [manifest] = Object.values(found.platforms);
    const { labels } = await answered(registry.image(`${name}@${manifest ?? found.digest}`));
    // One that does not know them leaves bases unpinned, and takes the bodies of here-documents for instructions.
    if (!labels["moby.buildkit.frontend.caps"]?.split(",").includes("moby.buildkit.frontend.contexts"))
      throw refuse("knows no named contexts; accepted is version 1.4 or later");
    if (doubtful !== undefined)
      throw refuse(
        `may not find the here-document of line ${doubtful}, as versions differ in the substitutions they know; the app's field \`frontends\` has to name it if it does`,
      );
  }
  return { reference, pinned, digest: found.digest };
}

/** BuildKit compares keys as they are and ignores one in another form in silence. */
function providedKey(key: string): string {
  const familiar = familiarName(parseReference(key));
  if (key === familiar) return key;
  throw new Error(
    `${JSON.stringify(key)} matches no FROM as the key of a named context; write ${JSON.stringify(familiar)}`,
  );
}

function readImages(options: ResolveBasesOptions, platform: Platform, provided: readonly string[]) {
  const read: ReadImages = options.readImages ?? readDockerfileImages;
  return read({
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
  const decision = decideBase(need, found, index);
  const refused = await answered(need, decision.pinned, registry.refusal(decision.pinned));
  if (refused === undefined) return decision;
  throw new DockerfileError(
    need.path,
    need.line,
    `the base ${printable(need.written, 200)} may not be used: ${refused}`,
  );
}

async function lookUp(need: BaseNeed, reference: string, registry: BaseRegistry): Promise<BaseManifest | undefined> {
  return answered(need, reference, registry.lookUp(reference));
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
    // Which of them the machine that builds takes is not known here.
    const eligible = wanted === undefined ? Object.values(manifest.platforms) : [manifestFor(manifest, wanted)];
    const own = reference.usedBy === "from" ? [...new Set(eligible)].filter((digest) => digest !== undefined) : [];
    const [image] = await Promise.all(own.map((digest) => imageOf(need, digest, registry)));
    if (reference.isFinalBase && image && wanted !== undefined) {
      bases.set(key, { ...base, final: true, layers: image.layers });
    } else if (!bases.has(key)) bases.set(key, { ...base, final: reference.isFinalBase });
  }
  return { namedContexts, bases: [...bases.values()], ...(finalContext !== undefined && { finalContext }) };
}

/** @throws DockerfileError also when a build on the image would begin with taking files from elsewhere. */
async function imageOf(need: BaseNeed, digest: Digest, registry: BaseRegistry): Promise<BaseContent> {
  const { registry: host, repository } = need.name;
  const reference = formatReference({ registry: host, repository, digest });
  const image = await answered(need, reference, registry.image(reference));
  const problem = triggerProblem(need.written, image);
  if (problem === undefined) return image;
  throw new DockerfileError(need.path, need.line, `the base ${printable(need.written, 200)} ${problem}`);
}

/** What is wrong with building on an image: what it makes such a build take in, nobody has looked at. @throws DockerfileError */
export function triggerProblem(name: string, { triggers }: BaseContent): string | undefined {
  const taken = triggers.flatMap((trigger) => triggerSources(`ONBUILD of ${name}`, trigger));
  if (taken.length === 0) return undefined;
  return `begins each build on it (ONBUILD) with files from ${printable(taken.join(", "), 200)}, which cannot be pinned`;
}

function material({ need, pinned, manifest }: BaseDecision): BaseMaterial {
  const platforms: Record<Platform, Digest> = {};
  for (const platform of need.platforms) {
    const digest = manifestFor(manifest, platform);
    if (digest) platforms[platform] = digest;
  }
  return { reference: need.written, line: need.line, pinned, digest: manifest.digest, platforms };
}

async function answered<T>({ path, line }: BaseNeed, reference: string, question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (cause) {
    const problem = `the base ${JSON.stringify(reference)} cannot be looked up: ${reasonOf(cause)}`;
    throw new DockerfileError(path, line, problem, { cause });
  }
}
