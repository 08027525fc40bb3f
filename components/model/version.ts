import { compareIdentifiers } from "semver";

interface VersionParts {
  /** The leading numbers as they are written, zeros and all: `2026.07.2` has three. */
  readonly numbers: readonly string[];
  /** What follows them, with `+` as `-`: `-r13`, `p20`, `-security-01`, `-10-15T17-29-55Z`. */
  readonly rest: string;
}

const shape = /^(\d+(?:\.\d+)*)([^]*)$/;
/** A branch's version. One without a letter reads as a number, which does no harm: only the head of a branch is ever chosen. */
const commitName = /^(?=\d*[a-f])[0-9a-f]{8}$/;
const preRelease = /^[-._~]?(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary)(?![a-z])/i;

/** Whether a name says its place among versions. The name of a commit, which has none, does not. */
export function isVersion(name: string): boolean {
  return partsOf(name) !== undefined;
}

/**
 * Orders versions from the highest to the lowest, from their names alone: records hold nothing else.
 *
 * The leading numbers decide first, missing ones counting as 0; then what follows, number by number and word by word, so that a
 * revision (`1.2-r13`) comes above its version and below the next (`1.2.1`), and a pre-release (`1.2-rc1`) below its version.
 * Leading zeros do not count; of two names for one version the text decides. Names of commits come last, in text order.
 * Invariant: a total order, in which only equal names are equal.
 */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [partsOf(left), partsOf(right)];
  if (!one || !other) return one ? -1 : other ? 1 : textOrder(left, right);
  return compareParts(other, one) || textOrder(right, left);
}

/** Whether two names say the same version: `1.2` and `1.2.0`, `2026.7.1` and `2026.07.1`, `1.0+1` and `1.0-1`. */
export function isSameVersion(left: string, right: string): boolean {
  const [one, other] = [partsOf(left), partsOf(right)];
  return left === right || (one !== undefined && other !== undefined && compareParts(one, other) === 0);
}

/** The first one or two numbers of a version, as it writes them; undefined when it has fewer. */
export function lineOf(version: string, count: 1 | 2): string | undefined {
  const { numbers = [] } = partsOf(version) ?? {};
  return numbers.length < count ? undefined : numbers.slice(0, count).join(".");
}

/** The leading numbers of a version; none for the name of a commit. */
export function numbersOf(version: string): readonly number[] {
  return partsOf(version)?.numbers.map(Number) ?? [];
}

/** Orders texts as people do, from the lowest to the highest: digits by the number they write. Total, as {@link compareVersions} is. */
export function naturalOrder(left: string, right: string): number {
  return compareTokens(left, right) || textOrder(left, right);
}

function partsOf(name: string): VersionParts | undefined {
  const [, numbers, rest] = commitName.test(name) ? [] : (shape.exec(name) ?? []);
  return numbers === undefined || rest === undefined
    ? undefined
    : { numbers: numbers.split("."), rest: rest.replaceAll("+", "-") };
}

function compareParts(left: VersionParts, right: VersionParts): number {
  const count = Math.max(left.numbers.length, right.numbers.length);
  for (let position = 0; position < count; position++) {
    const difference = compareIdentifiers(left.numbers[position] ?? "0", right.numbers[position] ?? "0");
    if (difference !== 0) return difference;
  }
  const [leftEarly, rightEarly] = [preRelease.test(left.rest), preRelease.test(right.rest)];
  if (leftEarly !== rightEarly) return leftEarly ? -1 : 1;
  return compareTokens(left.rest, right.rest);
}

/** Text and numbers take turns, text first and last, so that like is compared with like and no text is a beginning of another. */
function compareTokens(left: string, right: string): number {
  const [leftTokens, rightTokens] = [left.split(/(\d+)/), right.split(/(\d+)/)];
  for (const [position, token] of leftTokens.entries()) {
    const other = rightTokens[position];
    const isNumber = position % 2 === 1;
    const difference = isNumber ? compareIdentifiers(token, other ?? "0") : textOrder(token, other ?? "");
    if (difference !== 0) return difference;
  }
  return 0;
}

function textOrder(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
