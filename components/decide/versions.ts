import * as semver from "semver";
import type { AppSpecification } from "../model/appSpecification";
import type { Discovery, RejectedTag, Release } from "../model/release";

/** One upstream tag as a source offered it, not yet believed. Everything in it is hostile text. */
export interface TagCandidate {
  readonly tag: string;
  /** What the tag points at, peeled; absent when the repository has no such tag. */
  readonly commit?: string;
  readonly draft?: boolean;
  /** Upstream's own pre-release flag, where the source has one. */
  readonly prerelease?: boolean;
  /** ISO 8601. */
  readonly publishedAt?: string;
}

const defaultTagRule = /^v?(\d+\.\d+\.\d+)$/;
const longestTag = 255;
const safeTag = /^[A-Za-z0-9@][A-Za-z0-9._+@/-]*$/;
const fullCommit = /^[0-9a-f]{40}$/;

/**
 * Turns the tags of an app into its releases, highest version first, each version once, and says why the others were turned away.
 *
 * Invariants: the answer does not depend on the order of the candidates; the candidates are not changed;
 * every release has a version `X.Y.Z` in ASCII digits, a tag of harmless characters that the app's rule matches as a whole, and a full commit.
 * A release that upstream flags as draft or pre-release is never taken, whatever the rule says. When two tags
 * give one version (`v1.2.3` and `1.2.3`), the one with the `v` is taken.
 */
export function collectVersions(
  candidates: readonly TagCandidate[],
  specification: Pick<AppSpecification, "tagRule" | "tagStyle">,
): Discovery {
  const rule = statelessRule(specification.tagRule ?? defaultTagRule);
  const rejected: RejectedTag[] = [];
  const byVersion = new Map<string, Release>();
  for (const candidate of candidates.toSorted(inPreference)) {
    const release = readRelease(candidate, rule, specification);
    if ("reason" in release) {
      rejected.push(release);
      continue;
    }
    const taken = byVersion.get(release.version);
    if (!taken) byVersion.set(release.version, release);
    else if (taken.tag !== release.tag)
      rejected.push({
        tag: release.tag,
        reason: `same version as tag ${taken.tag}`,
        kind: "same version as another tag",
      });
  }
  return { releases: [...byVersion.values()].toSorted(compareReleases), rejected: rejected.toSorted(inTextOrder) };
}

/** Orders versions from the highest to the lowest; names that are no semantic versions (commits of a branch) come last, in text order. */
export function compareVersions(left: string, right: string): number {
  const [leftIs, rightIs] = [semver.valid(left) !== null, semver.valid(right) !== null];
  if (leftIs && rightIs) return semver.rcompare(left, right);
  if (leftIs !== rightIs) return leftIs ? -1 : 1;
  return textOrder(left, right);
}

function compareReleases(left: Release, right: Release): number {
  return compareVersions(left.version, right.version);
}

function readRelease(
  candidate: TagCandidate,
  rule: RegExp,
  specification: Pick<AppSpecification, "tagStyle">,
): Release | RejectedTag {
  const { tag, commit, publishedAt } = candidate;
  const version = readVersion(tag, rule);
  const reject = (reason: string): RejectedTag => ({ tag, reason });
  if (typeof version !== "string") return reject(version.reason);
  if (candidate.draft) return reject("draft");
  if (candidate.prerelease) return reject("upstream marks it as a pre-release");
  if (commit === undefined) return reject("the git repository has no such tag");
  if (!fullCommit.test(commit)) return reject("its commit is not 40 hex digits");
  const release: Release = {
    version,
    tag,
    reference: "tag",
    commit,
    ...(publishedAt !== undefined && { publishedAt }),
  };
  try {
    mirrorTag(specification, release);
  } catch {
    return reject("no valid image tag: at most 128 of A-Z a-z 0-9 . _ -");
  }
  return release;
}

/** Length and characters come before the app's rule, so that no rule, however lax or slow, meets hostile text. */
function readVersion(tag: string, rule: RegExp): string | { readonly reason: string } {
  if (tag.length > longestTag) return { reason: `longer than ${longestTag} characters` };
  if (!safeTag.test(tag) || tag.includes("..")) return { reason: "characters outside A-Z a-z 0-9 . _ + @ / -" };
  const match = rule.exec(tag);
  if (match === null || match[0] !== tag) {
    return {
      reason: /^v?\d+\.\d+\.\d+-/.test(tag) ? "pre-release by its name" : "not a version by the app's tag rule",
    };
  }
  const version = match[1] ?? "";
  if (!/^\d+\.\d+\.\d+$/.test(version)) return { reason: "the tag rule finds no X.Y.Z in it" };
  if (semver.valid(version) !== version) return { reason: "a leading zero or a number out of range" };
  return version;
}

/** A `g` or `y` flag makes a regular expression remember where it stopped, and skip every other tag. */
function statelessRule(rule: RegExp): RegExp {
  return new RegExp(rule.source, rule.flags.replace(/[gy]/g, ""));
}

/** Of two candidates for one version the first in this order is taken: `v1.2.3` before `1.2.3`; of one tag listed twice, the younger. */
function inPreference(left: TagCandidate, right: TagCandidate): number {
  return (
    textOrder(right.tag, left.tag) ||
    textOrder(right.publishedAt ?? "", left.publishedAt ?? "") ||
    textOrder(right.commit ?? "", left.commit ?? "")
  );
}

function inTextOrder(left: RejectedTag, right: RejectedTag): number {
  return textOrder(right.tag, left.tag) || textOrder(left.reason, right.reason);
}

function textOrder(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The tag grammar of the OCI distribution specification 1.1, "Pulling manifests". */
const ociTag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * The tag a release gets in the mirror: its version, or with `tagStyle: "upstream"` the upstream tag as it is written.
 * A branch always gives its commit: a branch name would be a version tag that moves.
 * @throws Error when the result is no valid image tag.
 */
export function mirrorTag(
  specification: Pick<AppSpecification, "tagStyle">,
  release: Pick<Release, "version" | "tag" | "reference">,
): string {
  const asUpstream = specification.tagStyle === "upstream" && release.reference === "tag";
  const tag = asUpstream ? release.tag : release.version;
  if (ociTag.test(tag)) return tag;
  throw new Error(
    `${JSON.stringify(tag)} cannot be an image tag; accepted are 1 to 128 of A-Z a-z 0-9 . _ -, not beginning with . or -`,
  );
}
