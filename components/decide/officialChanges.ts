import type { Platform } from "../model/platform";
import type { OfficialPlatforms } from "../model/published";

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
