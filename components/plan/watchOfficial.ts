import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import { type Platform, platformEntries, platformsIn } from "../model/platform";
import type { OfficialPlatforms } from "../model/published";
import { referenceParts } from "../model/reference";
import type { Release } from "../model/release";
import type { PlanEdges, PlatformImage } from "./planEdges";

/** What upstream's own images of the window hold. */
export interface OfficialWatch {
  /** To be recorded: what was seen now, and else before. */
  readonly platforms: OfficialPlatforms;
  /** What upstream did about platforms, a line each. */
  readonly changes: readonly string[];
}

/** What {@link watchOfficial} goes by. */
export interface WatchRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  readonly window: readonly Release[];
  readonly recorded: OfficialPlatforms;
  /** Nothing of the app is to be built: reading an image, which takes its time, keeps nothing waiting. */
  readonly idle: Promise<boolean>;
}

/** Upstream's image of one version, as it was found. */
interface Look extends OfficialSeen {
  readonly images?: readonly PlatformImage[];
  readonly fault?: string;
}

/**
 * Looks at upstream's own image of every version of the window: one request each. The programs of the highest are looked at too, where
 * the app is idle. Nothing where the app names no image, or the run only builds.
 * What cannot be looked up is left out: it says nothing. Rejects only with `idle`.
 */
export async function watchOfficial(
  { specification, settings, window, recorded, idle }: WatchRequest,
  edges: Pick<PlanEdges, "probe" | "run" | "now" | "misfits">,
): Promise<OfficialWatch | undefined> {
  const { official } = specification;
  if (!official || edges.run.phase === "build") return undefined;
  const looks = await Promise.all(
    window.map(async (release): Promise<Look | undefined> => {
      const name = referenceOf(official, release);
      if (name === undefined) return undefined;
      const probe = await edges.probe(name, { skipChildren: true });
      if (probe.state === "unknown") return undefined;
      const { version, publishedAt } = release;
      const about = { version, ...(publishedAt !== undefined && { publishedAt }) };
      if (probe.state === "absent") return about;
      const wrong = platformsIn(probe.misdescribed);
      return {
        ...about,
        platforms: platformsIn({ ...probe.platforms, ...probe.misdescribed }),
        images: platformEntries(probe.platforms)
          .filter(([platform]) => settings.platforms.includes(platform) && edges.run.covers(platform))
          .map(([platform, digest]) => ({ repository: referenceParts(name).name, digest, platform })),
        ...(wrong.length > 0 && {
          fault: `upstream's image of ${version} lists ${wrong.join(", ")} in a way that nobody can pull it by`,
        }),
      };
    }),
  );
  const seen = looks.filter((look) => look !== undefined);
  const now = seen.flatMap(({ version, platforms }) => (platforms ? [[version, platforms] as const] : []));
  const known = new Set(window.map(({ version }) => version));
  const kept = Object.entries(recorded).filter(([version]) => known.has(version));
  return {
    platforms: { ...Object.fromEntries(kept), ...Object.fromEntries(now) },
    changes: [
      ...officialChanges(seen, { wanted: settings.platforms, recorded, now: edges.now }),
      ...seen.flatMap(({ fault }) => fault ?? []),
      ...((await idle) ? await misfits(seen, specification, edges) : []),
    ],
  };
}

/** What the highest version's images hold that does not fit their platforms, a line each. */
async function misfits(
  seen: readonly Look[],
  { name, foreign }: AppSpecification,
  edges: Pick<PlanEdges, "misfits">,
): Promise<readonly string[]> {
  const highest = seen.find(({ images }) => images !== undefined);
  const lines = (highest?.images ?? []).map(async (image) => {
    const [problem, ...more] = await edges.misfits(name, { ...image, ...(foreign && { foreign }) });
    const rest = more.length > 0 ? `, and ${more.length} more` : "";
    return problem === undefined
      ? []
      : [`upstream's image of ${highest?.version} is wrong for ${image.platform}: ${problem}${rest}`];
  });
  return (await Promise.all(lines)).flat();
}

/** Undefined: the app's function fails, which is told with the version. */
function referenceOf(official: NonNullable<AppSpecification["official"]>, release: Release): string | undefined {
  try {
    return official.reference(release);
  } catch {
    return undefined;
  }
}

/** Upstream's own image of one version, as its registry shows it now. */
export interface OfficialSeen {
  readonly version: string;
  /** When upstream released the version, ISO 8601, where it says so. */
  readonly publishedAt?: string;
  /** Platforms it has; undefined: there is no image. */
  readonly platforms?: readonly Platform[];
}

/** What {@link officialChanges} compares with. */
export interface OfficialContext {
  /** The platforms that matter here. */
  readonly wanted: readonly Platform[];
  /** What an earlier run saw. */
  readonly recorded: OfficialPlatforms;
  readonly now: Date;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * What upstream did about the platforms of its own image, a line each: dropped one from some version on, gained one, left one out of a
 * version in between, is late with the newest; and, where an earlier run saw it otherwise, lost one of a version or brought one later.
 * @param seen highest version first; what could not be looked up is left out.
 */
export function officialChanges(seen: readonly OfficialSeen[], context: OfficialContext): readonly string[] {
  const images = seen.filter(({ platforms }) => platforms !== undefined);
  return [
    ...missingImages(seen, context.now),
    ...context.wanted.flatMap((platform) => [
      ...betweenVersions(platform, images, context.now),
      ...sinceRecorded(platform, images, context.recorded),
    ]),
  ];
}

function missingImages(seen: readonly OfficialSeen[], now: Date): readonly string[] {
  const first = seen.findIndex(({ platforms }) => platforms !== undefined);
  return seen
    .slice(0, Math.max(0, first))
    .map(
      (one) =>
        `upstream ${isYoung(one, now) ? "has not published its image of" : "publishes no image of"} ${one.version}${isYoung(one, now) ? " yet" : ""}`,
    );
}

function betweenVersions(platform: Platform, images: readonly OfficialSeen[], now: Date): readonly string[] {
  const has = images.map(({ platforms = [] }) => platforms.includes(platform));
  const last = has.indexOf(true);
  const [newest] = images;
  if (last < 0 || !newest) return [];
  if (last > 0) {
    const [with_, after] = [images[last]?.version, images.slice(0, last)];
    return after.every((one) => isYoung(one, now))
      ? [`upstream is late with ${platform}: ${with_} has it, ${versions(after)} not yet`]
      : [`upstream dropped ${platform} after ${with_}: ${versions(after)} ${after.length === 1 ? "lacks" : "lack"} it`];
  }
  const lacking = images.filter((_, position) => has[position] === false);
  if (lacking.length === 0) return [];
  const firstWith = images[has.lastIndexOf(true)];
  const oldestLacks = has.at(-1) === false;
  const between = lacking.filter((one) => images.indexOf(one) < has.lastIndexOf(true));
  return [
    ...(oldestLacks && firstWith ? [`upstream gained ${platform} with ${firstWith.version}`] : []),
    ...(between.length > 0 ? [`upstream left ${platform} out of ${versions(between)}`] : []),
  ];
}

function sinceRecorded(
  platform: Platform,
  images: readonly OfficialSeen[],
  recorded: OfficialPlatforms,
): readonly string[] {
  const changed = (had: boolean): readonly OfficialSeen[] =>
    images.filter(({ version, platforms = [] }) => {
      const before = recorded[version];
      return before !== undefined && before.includes(platform) === had && platforms.includes(platform) !== had;
    });
  const [lost, late] = [changed(true), changed(false)];
  return [
    ...(lost.length > 0 ? [`upstream lost ${platform} of ${versions(lost)}, which had it before`] : []),
    ...(late.length > 0 ? [`upstream brought ${platform} of ${versions(late)} later than the rest`] : []),
  ];
}

/** A release is often there before its images. One whose date upstream does not tell is taken for old. */
function isYoung({ publishedAt }: OfficialSeen, now: Date): boolean {
  return now.getTime() - Date.parse(publishedAt ?? "") < dayMs;
}

function versions(seen: readonly OfficialSeen[]): string {
  return seen.map(({ version }) => version).join(", ");
}
