import type { IdenticalFile } from "./identical";
import { type CheckReport, checkImage, type CheckRequest } from "./checkImage";
import { type Builder, builderFor } from "../config/mirrorConfig";
import { hexOf, parseDigest } from "../model/digest";
import { buildTarget } from "../model/release";
import type { BuildRecipe, PlannedVersion } from "../decide/appPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { ChecksMade } from "../model/buildRecord";
import type { Platform } from "../model/platform";
import { referenceParts } from "../model/reference";

/**
 * Checks a platform's image before its version gets a tag. An image built in this run is run as well, and compared with the
 * file it must contain; one that another run built and handed over, or that upstream published, is only looked at: this machine
 * need not be able to run it, and the run that built it did.
 * @param layout folder the image is in as an OCI layout, instead of a registry.
 * @throws CheckError with every problem found.
 */
export async function checkBeforeTag(
  image: ImageToCheck,
  inspect: CheckRequest["inspect"],
  builder: Builder,
  layout?: string,
): Promise<CheckReport> {
  const { reference, platform, recipe, specification } = image;
  const { name: repository, digest = "" } = referenceParts(reference);
  return checkImage({
    inspect,
    repository,
    digest: parseDigest(digest),
    platform,
    builder: builderFor(builder, platform),
    environment: process.env,
    ...(layout !== undefined && { layout }),
    baseLayers: recipe?.bases.find(({ final }) => final)?.layers ?? [],
    ...(specification.foreign && { foreign: specification.foreign }),
    ...(recipe && expectations(image)),
  });
}

/** What the app's own file expects of an image: the answer of the smoke command, and the file it must contain. */
function expectations({
  planned,
  platform,
  specification,
  recipe,
}: ImageToCheck): Pick<CheckRequest, "smoke"> & { readonly identical?: IdenticalFile & { readonly source: string } } {
  if (!planned.release) return {};
  const target = buildTarget(planned.release, platform);
  const { smoke, identical } = specification;
  const limit = smoke?.limitSeconds === undefined ? {} : { limitMs: smoke.limitSeconds * 1000 };
  const ran = smoke && { smoke: { command: smoke.command, expect: smoke.expect(target), ...limit } };
  if (!identical) return { ...ran };
  const source = identical.file(target);
  const checksum = recipe?.fileChecksums[source];
  if (checksum === undefined) {
    throw new Error(`the checksum of ${source}, which ${identical.path} must be identical to, is not known`);
  }
  return {
    ...ran,
    identical: { path: identical.path, checksum, source, ...(identical.replaces && { replaces: true }) },
  };
}

/** What a passed check looked at, for the record of the image. */
export function checksMade(image: ImageToCheck, report: CheckReport): ChecksMade {
  const { smoke, identical } = image.recipe ? expectations(image) : {};
  return {
    programs: report.checkedFiles,
    ...(smoke && { smoke: { command: [...smoke.command] } }),
    ...(identical && {
      identical: { path: identical.path, url: identical.source, sha256: hexOf(identical.checksum) },
    }),
  };
}

/** What a passed check looked at and what it cost, as a line for the log: looking and running apart. */
export function describeCheck({ specification, planned, platform }: ImageToCheck, report: CheckReport): string {
  const { checkedFiles, bytesRead, milliseconds, smoke } = report;
  const looked = seconds(milliseconds - (smoke?.milliseconds ?? 0));
  const megabytes = (bytesRead / 1_000_000).toFixed(1);
  const ran = smoke ? `; its smoke command took ${seconds(smoke.milliseconds)}` : "";
  const programs = `${checkedFiles} ${checkedFiles === 1 ? "program" : "programs"}`;
  return `${specification.name} ${planned.version} ${platform}: ${programs} checked in ${looked}, ${megabytes} MB read${ran}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A platform's image that is to get a tag. */
export interface ImageToCheck {
  /** `registry/namespace/name@sha256:…`. */
  readonly reference: string;
  readonly platform: Platform;
  readonly specification: AppSpecification;
  readonly planned: Pick<PlannedVersion, "version" | "release">;
  /** How it was built; undefined for one that was handed over or copied. */
  readonly recipe?: BuildRecipe;
}
