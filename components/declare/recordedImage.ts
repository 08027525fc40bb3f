import type { BuildRecipe, PlannedVersion } from "../decide/appPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { BuildRecord, BuiltRecord, ImageFacts, RecordedImage } from "../model/buildRecord";
import { type Digest, hexOf } from "../model/digest";
import { digestIn } from "../model/reference";
import type { Platform } from "../model/platform";
import type { VersionServices } from "./versionServices";

/** One platform's image as the builder gave it. */
export interface MadeImage {
  /** `name@sha256:…`. */
  readonly reference: string;
  /** What each named context was, by digest: FROM reference → location. */
  readonly contexts: Readonly<Record<string, string>>;
}

/** The version an image belongs to. */
export interface ImageRequest {
  readonly specification: AppSpecification;
  readonly repository: string;
  readonly planned: PlannedVersion;
  readonly services: Pick<VersionServices, "check" | "hold" | "keepRecord" | "phase" | "run">;
}

/**
 * The image of one platform with its record: the one that was handed over, or a new one, written once the image has been built or
 * is to be copied, and has passed its checks.
 * @param made the image that is being built; undefined when it is copied, and it resolves to undefined when its build failed.
 * @throws Error when the image must not get a tag.
 */
export async function recordedImage(
  platform: Platform,
  made: Promise<MadeImage | undefined> | undefined,
  request: ImageRequest,
): Promise<RecordedImage | undefined> {
  const { specification, repository, planned, services } = request;
  const handedOver = planned.records[platform];
  if (handedOver && handedOver.record.origin !== "scanned") return handedOver;
  const copy = planned.copies[platform];
  const image = copy === undefined ? await made : { reference: copy, contexts: {} };
  if (!image) return undefined;
  const digest = digestOf(image.reference);
  const reference = copy ?? `${repository}@${digest}`;
  const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
  const held = copy === undefined ? services.hold(repository, digest) : undefined;
  const checks = await services.check({ reference, platform, specification, planned, ...(recipe && { recipe }) });
  const common = { ...factsOf(platform, digest, request), checks };
  const record: BuildRecord =
    copy !== undefined
      ? { origin: "copied", ...common, from: copy }
      : { origin: "built", ...common, ...buildOf(request, recipe, image.contexts) };
  // What is handed over has to outlive this run.
  if (services.phase === "build") await held;
  return services.keepRecord(record, reference);
}

/** An image that is published already, with a new SBOM: the one handed over, or one made now, which a publishing run never does. */
export async function scannedImage(
  platform: Platform,
  digest: Digest,
  request: ImageRequest,
): Promise<RecordedImage | undefined> {
  const handedOver = request.planned.records[platform];
  if (handedOver?.record.image.digest === digest) return handedOver;
  if (request.services.phase === "publish") return undefined;
  const record: BuildRecord = { origin: "scanned", ...factsOf(platform, digest, request) };
  return request.services.keepRecord(record, `${request.repository}@${digest}`);
}

function factsOf(
  platform: Platform,
  digest: Digest,
  { specification, repository, planned: { version, tag }, services: { run } }: ImageRequest,
): ImageFacts {
  return {
    schemaVersion: 1,
    app: specification.name,
    version,
    tag,
    platform,
    image: { repository, digest },
    builder: run.builder,
    ...(run.project && { project: run.project }),
    run: { ...run.run, finishedOn: new Date().toISOString() },
  };
}

/** How an image was built: its recipe, with what the named contexts turned out to be. */
function buildOf(
  { specification, planned }: ImageRequest,
  recipe: BuildRecipe | undefined,
  contexts: MadeImage["contexts"],
): Omit<BuiltRecord, "origin" | "checks" | keyof ImageFacts> {
  const { subdirectory, target, ownDockerfile } = specification;
  if (!recipe || !planned.upstream)
    throw new Error(`${specification.name} ${planned.version} was built without a recipe, a mistake of the plan`);
  const { frontend } = recipe;
  return {
    upstream: planned.upstream,
    dockerfile: {
      path: recipe.dockerfile.path,
      owner: ownDockerfile === undefined ? "upstream" : "mirror",
      sha256: recipe.dockerfile.sha256,
    },
    ...(frontend && { frontend: { reference: frontend.reference, digest: frontend.digest } }),
    ...(subdirectory !== undefined && { subdirectory }),
    ...(target !== undefined && { target }),
    buildArguments: { ...recipe.buildArguments },
    namedContexts: { ...contexts },
    bases: materials(recipe, contexts),
    files: Object.entries(recipe.fileChecksums).map(([url, checksum]) => ({ url, sha256: hexOf(checksum) })),
  };
}

/** Every image that went in: the Dockerfile's own, and those of this mirror that took the place of one. */
function materials({ bases }: BuildRecipe, contexts: MadeImage["contexts"]): BuiltRecord["bases"] {
  const resolved = bases.map(({ reference, digest }) => ({ reference, digest }));
  const known = new Set<string>(resolved.map(({ digest }) => digest));
  const own = Object.entries(contexts).flatMap(([reference, location]) => {
    const digest = digestIn(location);
    return digest && !known.has(digest) ? [{ reference, digest }] : [];
  });
  return [...resolved, ...own];
}

/** The digest of a reference; one without a digest names whatever the tag holds and must never be used. */
export function digestOf(reference: string): Digest {
  const digest = digestIn(reference);
  if (digest) return digest;
  throw new Error(
    `the builder gave ${JSON.stringify(reference)}, which carries no digest; the push was probably refused`,
  );
}
