import type { Discovery, Release } from "../model/release";
import { printable } from "../model/safeText";
import { compareVersions, isSameVersion, numbersOf } from "../model/version";
import { isExcluded } from "./window";

/** What the app and the stack say of which tags count. */
export interface DoubtOptions {
  /** The app's own tag rule; undefined: it has none. */
  readonly tagRule: RegExp | undefined;
  /** Versions and tags the stack never takes: whoever excludes a tag has seen it. */
  readonly exclude: readonly string[];
}

const remedy = "say in the app's tagRule which tags are versions, or exclude the one that is none";
/** A scheme followed for so many versions is no slip. */
const versionsOfAScheme = 10;

/**
 * Says why the highest version may not be the one upstream would call so, naming both; undefined: nothing speaks against it.
 * Either a tag that the rule turned away, read leniently, is higher; or one of the highest versions is a hundred times the next
 * (`20260101.0.0` after `2026.1.0`).
 */
export function doubtAbout({ releases, rejected }: Discovery, { tagRule, exclude }: DoubtOptions): string | undefined {
  const counting = releases.filter(
    ({ reference, ...release }) => reference !== "branch" && !isExcluded(release, exclude),
  );
  const [highest] = counting;
  if (!highest) return undefined;
  const unread = rejected.filter((tag) => tag.unread && !exclude.includes(tag.tag)).map(({ tag }) => tag);
  const reading = tagRule ? likeTheTaken(counting) : asAPerson(unread, counting);
  const overlooked = unread
    .map((tag) => ({ tag, version: reading(tag) ?? "" }))
    .filter(({ version }) => isAbove(version, dotted(highest.version)))
    .toSorted((left, right) => compareVersions(left.version, right.version))[0];
  if (overlooked)
    return `upstream's tag ${printable(overlooked.tag)} is not a version by the tag rule, but looks higher than the highest, ${printable(highest.tag)}; ${remedy}`;
  const leap = counting
    .slice(0, versionsOfAScheme - 1)
    .findIndex((release, position) => leaps(release, counting[position + 1]));
  const [far, next] = [counting[leap], counting[leap + 1]];
  return far && next && leap >= 0
    ? `version ${printable(far.tag)} is more than a hundred times the next, ${printable(next.tag)}; ${remedy}`
    : undefined;
}

function leaps(release: Release, next: Release | undefined): boolean {
  if (!next) return false;
  const [[first = 0], [nextFirst = 0]] = [numbersOf(release.version), numbersOf(next.version)];
  return first >= 100 * Math.max(1, nextFirst);
}

function isAbove(version: string, highest: string): boolean {
  return numbersOf(version).length > 0 && !isSameVersion(version, highest) && compareVersions(version, highest) < 0;
}

function dotted(version: string): string {
  return version.replaceAll("_", ".");
}

const numbers = String.raw`\d+(?:[._]\d+)*`;
const later = String.raw`(?:[-._]?(?:pl?|patch|r|rev|revision|sp|hotfix|security|build)[-._]?\d+|\+.*\d)?`;
const isCount = /^-\d+$/;
const manyNines = /^(?:99+[._]){2}/;
const anyName = new RegExp(
  String.raw`^(?:(?:v|ver|version|rel|release|stable)[-_./]?)?v?(${numbers}${later}|\d{4}-\d\d(?:-\d\d)?[a-z]?)(?:-(?:final|ga|lts|stable|release))?$`,
  "i",
);

/** Words by which people mark what is not a release, or not of this program. */
export const early =
  /(?:^|[^a-z])(?:alpha|beta|rc|cr|m|pre|preview|prototype|dev|devel|develop|snapshot|nightly|canary|next|test|testing|exp|experimental|edge|ea|tip|temp|unstable|insiders?|wip|draft|debug|milestone)(?![a-z])|\d[._]\d+[-._]?[abc]\.?\d{1,3}(?![\da-z])/i;
const named = new RegExp(String.raw`^((?:[a-z@][a-z@/-]*[-_/@])?v?)(${numbers})(.*)$`, "i");

/**
 * What a person would read who sees all tags: the name of a stable version; a version with more behind it that is no word for an early
 * one, a lone number (`1.2-0`) only where it is the scheme; and what a name stands before, where most tags are called so.
 */
function asAPerson(unread: readonly string[], taken: readonly Release[]): (tag: string) => string | undefined {
  const read = new Map(unread.filter((tag) => !early.test(tag)).map((tag) => [tag, named.exec(tag) ?? []]));
  const versions = new Set(taken.map(({ version }) => version));
  const all = [...read.values()];
  const counted = all.filter(([, , version = "", rest = ""]) => isCount.test(rest) && !versions.has(version)).length;
  const isScheme =
    counted >= versionsOfAScheme && 2 * counted > all.filter(([, , , rest = ""]) => isCount.test(rest)).length;
  const called = new Map<string, number>();
  for (const [, prefix = ""] of all) called.set(prefix, (called.get(prefix) ?? 0) + 1);
  const isMost = (prefix: string): boolean =>
    (called.get(prefix) ?? 0) >= Math.max(versionsOfAScheme, taken.length + 1);
  return (tag) => {
    const plain = leniently(tag);
    const [, prefix = "", version = "", rest = ""] = read.get(tag) ?? [];
    if (plain !== undefined || version === "" || manyNines.test(version)) return plain;
    const known = /^v?$/i.test(prefix) ? rest !== "" : rest === "" && isMost(prefix);
    const follows = isCount.test(rest) ? isScheme : rest === "" || /^[-_+]/.test(rest);
    return known && follows && /[._]/.test(version) ? dotted(version) : undefined;
  };
}

/** What a person would read: numbers, with the words that go before and after those of a stable version. */
function leniently(tag: string): string | undefined {
  const version = anyName.exec(tag)?.[1];
  const bareNumber = /^v?\d+$/;
  if (version === undefined || manyNines.test(version)) return undefined;
  return /^\d+$/.test(version) && !bareNumber.test(tag) ? undefined : dotted(version);
}

/**
 * Where an app says which tags are versions, the others are left out on purpose, unless one begins and ends as those taken do and
 * between has numbers of another count, more than one, or a revision, which the rule did not provide for.
 */
function likeTheTaken(releases: readonly Release[]): (tag: string) => string | undefined {
  const around = releases.slice(0, versionsOfAScheme).map(({ tag, version }) => {
    const [before = "", ...after] = tag.split(version);
    return { before, after: after.join(version), count: numbersOf(dotted(version)).length };
  });
  const counts = new Set(around.map(({ count }) => count));
  const between = new RegExp(`^${numbers}${later}$`, "i");
  return (tag) => {
    const frame = around.find(({ before, after }) => tag.startsWith(before) && tag.endsWith(after));
    const text = frame && tag.slice(frame.before.length, tag.length - frame.after.length);
    if (text === undefined || !between.test(text)) return undefined;
    const version = dotted(text);
    const count = numbersOf(version).length;
    const onPurpose = count === 1 || (/^[\d._]+$/.test(text) && counts.has(count));
    return onPurpose ? undefined : version;
  };
}
