import type { Keep } from "../model/appSpecification";
import type { Release } from "../model/release";
import { compareVersions, isSameVersion, lineOf } from "../model/version";

/** Which releases are wanted. */
export interface WindowOptions {
  readonly keep: Keep;
  /** Versions (under any name of theirs: `2026.7.2` is `2026.07.2`), or upstream tags, never to be built; the next lower version takes their place. */
  readonly exclude?: readonly string[];
  /** Hours a release must have been out. Releases whose date upstream does not tell (git tags) are not held back. */
  readonly minimumReleaseAgeHours?: number | undefined;
  /** The time of this run; used for the age only. */
  readonly now: Date;
}

/** The releases to keep complete, highest first, and those that would count but are held back for now. */
export interface VersionWindow {
  readonly releases: readonly Release[];
  readonly withheld: readonly { readonly version: string; readonly reason: string }[];
}

const longestAgeHours = 876_000;
const millisecondsPerHour = 60 * 60 * 1000;

/**
 * Chooses the versions of the window. Excluded and too young releases are taken out *before* counting, so the window stays full.
 *
 * Invariants: the result is a subset of the releases, highest version first, independent of their order; the releases are not changed.
 * @throws Error when `keep` or the age is negative, or `keep` no whole number.
 */
export function selectWindow(releases: readonly Release[], options: WindowOptions): VersionWindow {
  const { latest, perMinor, minors } = readKeep(options.keep);
  checkAge(options.minimumReleaseAgeHours ?? 0);
  const withheld: { version: string; reason: string }[] = [];
  const eligible = releases
    .toSorted((left, right) => compareVersions(left.version, right.version))
    .filter((release) => {
      const reason = whyWithheld(release, options);
      if (reason !== undefined) withheld.push({ version: release.version, reason });
      return reason === undefined;
    });
  const perLine = minorLines(eligible)
    .slice(0, minors)
    .flatMap((line) => line.slice(0, perMinor));
  const kept = new Set([...eligible.slice(0, latest), ...perLine]);
  return { releases: eligible.filter((release) => kept.has(release)), withheld };
}

function readKeep(keep: Keep): { readonly latest: number; readonly perMinor: number; readonly minors: number } {
  const given = typeof keep === "number" ? { latest: keep } : keep;
  for (const [name, value] of Object.entries(given)) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new Error(`keep.${name} is ${String(value)}; accepted is a whole number from 0`);
  }
  const lines = given.perMinor !== undefined || given.minors !== undefined;
  return { latest: given.latest, perMinor: given.perMinor ?? (lines ? 1 : 0), minors: given.minors ?? Infinity };
}

function checkAge(hours: number): void {
  if (hours >= 0 && hours <= longestAgeHours) return;
  throw new Error(`the minimum age is ${hours} hours; accepted is a number from 0 to ${longestAgeHours}`);
}

function whyWithheld(release: Release, options: WindowOptions): string | undefined {
  const { exclude = [], minimumReleaseAgeHours = 0, now } = options;
  if (isExcluded(release, exclude)) return "excluded by the stack";
  if (release.publishedAt === undefined || minimumReleaseAgeHours === 0) return undefined;
  const readyAt = Date.parse(release.publishedAt) + minimumReleaseAgeHours * millisecondsPerHour;
  if (now.getTime() >= readyAt) return undefined;
  // A date nobody can read is no proof of age.
  const readable = Number.isFinite(readyAt) ? `until ${new Date(readyAt).toISOString()}` : "its date cannot be read";
  return `younger than ${minimumReleaseAgeHours} hours (${readable})`;
}

/** Whether the stack names the release, by its tag or by a name of its version. */
export function isExcluded({ version, tag }: Pick<Release, "version" | "tag">, exclude: readonly string[]): boolean {
  return exclude.some((name) => name === tag || isSameVersion(name, version));
}

/** Groups versions in falling order by the first two numbers, or the one there is; anything without is a line of its own. */
function minorLines(descending: readonly Release[]): readonly (readonly Release[])[] {
  const lines: Release[][] = [];
  let last: string | undefined;
  for (const release of descending) {
    const line = lineOf(release.version, 2) ?? lineOf(release.version, 1) ?? release.version;
    if (last !== undefined && isSameVersion(last, line)) lines.at(-1)?.push(release);
    else lines.push([release]);
    last = line;
  }
  return lines;
}
