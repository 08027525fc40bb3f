import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import type { Release } from "../model/release";
import type { PlanEdges } from "./planEdges";

/** Upstream's own image of a version, as far as it matters here. */
export interface OfficialImage {
  /** Wanted platforms upstream publishes. */
  readonly platforms: readonly Platform[];
  /** Those of them that are left to upstream. */
  readonly skipped: readonly Platform[];
  /** Those of them that are copied, each `name@sha256:…`. */
  readonly copies: PerPlatform<string>;
  /** Set when the app copies what upstream has. */
  readonly copied?: CopiedImage;
  /** Why it cannot be told. */
  readonly trouble?: string;
}

/** All that upstream's image holds. */
interface CopiedImage {
  /** With its registry. */
  readonly repository: string;
  /** What its tag names: an index, or the manifest of its only platform. */
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
  /** Its index, and what that lists besides images. */
  readonly besides: readonly Digest[];
  /** All it lists exists and can be pulled. */
  readonly whole: boolean;
}

/** There is none, or nobody asks. */
export const noOfficialImage: OfficialImage = { platforms: [], skipped: [], copies: {} };

/** Asks upstream's own registry which platforms it publishes. Only an app that acts on the answer is stopped by trouble. */
export async function askOfficialImage(
  { specification, settings }: { readonly specification: AppSpecification; readonly settings: AppSettings },
  release: Release,
  edges: Pick<PlanEdges, "probe">,
): Promise<OfficialImage> {
  if (!specification.official) return noOfficialImage;
  const { reference, whenUpstreamHasPlatform = "build" } = specification.official;
  const inTrouble = (trouble: string): OfficialImage =>
    whenUpstreamHasPlatform === "build" ? noOfficialImage : { ...noOfficialImage, trouble };
  let name: string;
  try {
    name = reference(release);
  } catch (error) {
    return inTrouble(reasonOf(error));
  }
  const probe = await edges.probe(name);
  if (probe.state === "unknown")
    return inTrouble(`upstream's own image ${name} gave no usable answer: ${probe.reason}`);
  if (probe.state === "absent") return noOfficialImage;
  const platforms = settings.platforms.filter((platform) => platform in probe.platforms);
  if (whenUpstreamHasPlatform !== "copy")
    return { platforms, skipped: whenUpstreamHasPlatform === "skip" ? platforms : [], copies: {} };
  const repository = name.replace(/[:@][^/]*$/, "");
  const copies = platforms.map((platform) => [platform, `${repository}@${probe.platforms[platform]}`] as const);
  const copied = {
    repository,
    digest: probe.digest,
    platforms: probe.platforms,
    besides: [probe.digest, ...probe.others].filter((digest) => !Object.values(probe.platforms).includes(digest)),
    whole: Object.keys({ ...probe.lost, ...probe.misdescribed }).length + (probe.gone?.length ?? 0) === 0,
  };
  return { platforms, skipped: [], copies: Object.fromEntries(copies), copied };
}

/**
 * Upstream's index, when it is exactly what the version is to be made from: then it is copied as it is, with its digest, its
 * signatures and whatever else it lists.
 * @param build the platforms still to come.
 */
export function indexToCopy({ copied }: OfficialImage, build: readonly Platform[]): string | undefined {
  if (!copied?.whole) return undefined;
  const theirs = platformEntries(copied.platforms);
  const same = theirs.length === build.length && theirs.every(([platform]) => build.includes(platform));
  const isIndex = theirs.every(([, digest]) => digest !== copied.digest);
  return same && isIndex ? `${copied.repository}@${copied.digest}` : undefined;
}
