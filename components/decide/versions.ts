import type { AppSpecification } from "../model/appSpecification";
import type { Discovery, RejectedTag, Release } from "../model/release";
import { captured, defaultTagRule, inTime } from "../model/tagRule";
import { compareVersions, isSameVersion, isVersion, lineOf, naturalOrder, numbersOf } from "../model/version";

/** One upstream tag as a source offered it, not yet believed. Everything in it is hostile text. */
export interface TagCandidate {
  readonly tag: string;
  /** What the tag points at, peeled; absent when the repository has no such tag. */
  readonly commit?: string;
  readonly draft?: boolean;
  /** Upstream's own pre-release flag, where the source has one. */
  readonly prerelease?: boolean;
  /** Upstream has taken it back: deprecated, yanked. */
  readonly withdrawn?: boolean;
  /** ISO 8601. */
  readonly publishedAt?: string;
  /** The repository's tag, where `tag` is the name of an image or package; null: the repository has none, and only the commit is known. */
  readonly gitTag?: string | null;
}

/** Why a tag that upstream moves with its versions is turned away. */
export const namesALine = "names a line of versions";

const longestTag = 255;
const safeTag = /^[A-Za-z0-9@][A-Za-z0-9._+@/-]*$/;
const fullCommit = /^[0-9a-f]{40}$/;

/**
 * Turns the tags of an app into its releases, highest version first, each version once, and says why the others were turned away.
 *
 * Invariants: the answer does not depend on the order of the candidates; the candidates are not changed;
 * every release has a version that begins with ASCII digits, a tag of harmless characters that the app's rule matches as a whole,
 * a full commit, and a mirror tag no other has. A release that upstream flags as draft or pre-release is never taken, whatever the
 * rule says. When several tags give one version, the one that says most is taken: `v1.2.0` before `1.2.0` before `v1.2`,
 * and where the rule leaves something out, the one that is highest in it (`v9.3.0.17` before `v9.3.0.6`).
 */
export function collectVersions(
  candidates: readonly TagCandidate[],
  specification: Pick<AppSpecification, "tagRule" | "tagStyle">,
): Discovery {
  const { tagRule = defaultTagRule } = specification;
  const read = inTime(`the tag rule ${tagRule} on upstream's tags`, () =>
    candidates.map((candidate) => readRelease(candidate, specification)),
  );
  const rejected = read.filter((answer) => "reason" in answer);
  const releases: Release[] = [];
  for (const release of read.filter((answer) => "version" in answer).toSorted(inPreference)) {
    const taken = releases.at(-1);
    if (!taken || !isSameVersion(taken.version, release.version)) releases.push(release);
    else if (taken.tag !== release.tag)
      rejected.push({
        tag: release.tag,
        reason: `same version as tag ${taken.tag}`,
        kind: "same version as another tag",
      });
  }
  const lines = specification.tagRule ? [] : linesAmong(releases, candidates);
  rejected.push(...lines.map(({ tag }): RejectedTag => ({ tag, reason: namesALine, unread: true })));
  return {
    releases: releases.filter((release) => !lines.includes(release)),
    rejected: rejected.toSorted(inTextOrder),
  };
}

/**
 * Those of the tags that upstream moves with its versions, such as `v4` and `v4.1` beside `v4.1.2`: a lone number beside tags
 * of more, and one that names the commit of a version of its line.
 */
function linesAmong(releases: readonly Release[], candidates: readonly TagCandidate[]): readonly Release[] {
  const counts = new Map(releases.map((release) => [release, numbersOf(release.version).length]));
  const alone = !candidates.some(({ tag }) => /^v?\d+\.\d/i.test(tag));
  const heads = new Set(
    releases.flatMap((release) =>
      (counts.get(release) ?? 0) > 2 ? `${release.commit} ${lineOf(release.version, 2)}` : [],
    ),
  );
  return releases.filter((release) => {
    const count = counts.get(release);
    return count === 1 ? !alone : count === 2 && heads.has(`${release.commit} ${release.version}`);
  });
}

function readRelease(
  candidate: TagCandidate,
  specification: Pick<AppSpecification, "tagRule" | "tagStyle">,
): Release | RejectedTag {
  const { tag, commit, publishedAt, gitTag } = candidate;
  const version = readVersion(tag, specification.tagRule ?? defaultTagRule);
  const reject = (reason: string): RejectedTag => ({ tag, reason });
  const offered = !candidate.draft && !candidate.prerelease && !candidate.withdrawn;
  if (typeof version !== "string")
    return { ...reject(version.reason), ...(offered && version.unread && { unread: true }) };
  if (candidate.draft) return reject("draft");
  if (candidate.prerelease) return reject("upstream marks it as a pre-release");
  if (candidate.withdrawn) return reject("upstream has withdrawn it");
  if (commit === undefined) return reject("the git repository has no such tag");
  if (!fullCommit.test(commit)) return reject("its commit is not 40 hex digits");
  const release: Release = {
    version,
    tag,
    reference: gitTag === null ? "commit" : "tag",
    commit,
    ...(typeof gitTag === "string" && gitTag !== tag && { gitTag }),
    ...(publishedAt !== undefined && { publishedAt }),
  };
  try {
    mirrorTag(specification, release);
  } catch {
    return reject("not a valid image tag: at most 128 of A-Z a-z 0-9 . _ -");
  }
  return release;
}

/** Length and characters come before the app's rule, so that no rule, however lax, meets hostile text. */
function readVersion(tag: string, rule: RegExp): string | Pick<RejectedTag, "reason" | "unread"> {
  if (tag.length > longestTag) return { reason: `longer than ${longestTag} characters` };
  if (!safeTag.test(tag) || tag.includes("..")) return { reason: "characters outside A-Z a-z 0-9 . _ + @ / -" };
  const version = captured(tag, rule);
  if (version === undefined) {
    const early = /^v?\d+(?:\.\d+)+-/i.test(tag);
    return { reason: early ? "pre-release by its name" : "not a version by the app's tag rule", unread: true };
  }
  if (!isVersion(version)) return { reason: "the tag rule finds no version in it", unread: true };
  if (numbersOf(version).every(Number.isSafeInteger)) return version;
  return { reason: "a number out of range", unread: true };
}

/** Highest version first; of several tags for one version the one to be taken first, of one tag listed twice the younger. */
function inPreference(left: Release, right: Release): number {
  return (
    (isSameVersion(left.version, right.version) ? 0 : compareVersions(left.version, right.version)) ||
    numbersOf(right.version).length - numbersOf(left.version).length ||
    naturalOrder(right.tag, left.tag) ||
    textOrder(right.publishedAt ?? "", left.publishedAt ?? "") ||
    textOrder(right.commit, left.commit)
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
 * The tag a release gets in the mirror: its version, or with `tagStyle: "upstream"` the upstream tag as it is written;
 * `-` stands for the `+` that no image tag may have.
 * A branch always gives its commit: a branch name would be a version tag that moves.
 * @throws Error when the result is no valid image tag.
 */
export function mirrorTag(
  specification: Pick<AppSpecification, "tagStyle">,
  release: Pick<Release, "version" | "tag" | "reference">,
): string {
  const asUpstream = specification.tagStyle === "upstream" && release.reference !== "branch";
  const tag = (asUpstream ? release.tag : release.version).replaceAll("+", "-");
  if (ociTag.test(tag)) return tag;
  throw new Error(
    `${JSON.stringify(tag)} cannot be an image tag; accepted are 1 to 128 of A-Z a-z 0-9 . _ -, not beginning with . or -`,
  );
}

/** An upstream tag that names another commit than the one its version was published from. */
export interface MovedTag {
  readonly version: string;
  readonly tag: string;
  /** The commit the published image was built from. */
  readonly published: string;
  /** The commit the tag names now. */
  readonly now: string;
}

/**
 * Finds upstream tags that were moved after their version was published. Published images stay as they are; this is for a warning.
 * @param commits version → commit recorded when it was published; versions without a recorded commit are not judged.
 */
export function movedTags(
  releases: readonly Release[],
  commits: Readonly<Record<string, string | undefined>>,
): readonly MovedTag[] {
  return releases.flatMap(({ version, tag, commit }) => {
    const published = Object.hasOwn(commits, version) ? commits[version] : undefined;
    return published === undefined || published === commit ? [] : [{ version, tag, published, now: commit }];
  });
}
