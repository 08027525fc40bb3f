import { doubtAbout } from "../../components/decide/doubts";
import { collectVersions, type TagCandidate } from "../../components/decide/versions";
import { literally } from "../../components/model/quoting";
import { naturalOrder } from "../../components/model/version";

/** How an app's tags are read. */
export interface TagRuleProposal {
  /** Undefined: the default rule reads them. */
  readonly tagRule?: RegExp;
  /** Why no rule is sure: the highest version is in doubt, or no tag looks like a version. */
  readonly doubt?: string;
}

/** Words by which people mark what is not a release, or not of this program. */
const early =
  /(?:^|[^a-z])(?:alpha|beta|rc|pre|preview|dev|devel|snapshot|nightly|canary|test|testing|exp|edge|tip|draft|debug|milestone|m)(?![a-z])/i;
/** Families of one or two tags are accidents. */
const fewest = 2;
/** More shapes than this are no scheme. */
const mostFamilies = 30;

/** Tags that differ in their numbers only: `stable-11146-2` and `stable-9823-1` are `stable-N-N`. */
interface Family {
  readonly shape: string;
  readonly tags: readonly string[];
}

/**
 * Proposes how to read a repository's tags: by the default rule where it leaves no doubt, else by a rule for the largest family
 * of tags that does, with a revision where upstream has one. All candidates are hostile text; only harmless ones shape a rule.
 */
export function proposeTagRule(candidates: readonly TagCandidate[]): TagRuleProposal {
  const byDefault = doubt(candidates, undefined);
  if (byDefault === undefined) return {};
  const stable = candidates.filter(({ draft, prerelease, withdrawn }) => !draft && !prerelease && !withdrawn);
  const families = familiesOf(stable.map(({ tag }) => tag));
  for (const family of families.slice(0, mostFamilies).filter(({ tags }) => tags.length >= fewest)) {
    for (const tagRule of rulesFor(family, families)) {
      if (doubt(candidates, tagRule) === undefined) return { tagRule };
    }
  }
  return { doubt: byDefault };
}

function doubt(candidates: readonly TagCandidate[], tagRule: RegExp | undefined): string | undefined {
  const commit = "0".repeat(40);
  const all = candidates.map((candidate) => ({ ...candidate, commit: candidate.commit ?? commit }));
  const discovery = collectVersions(all, { ...(tagRule && { tagRule }) });
  if (discovery.releases.length === 0) return "none of its tags reads as a version";
  return doubtAbout(discovery, { tagRule, exclude: [] });
}

function familiesOf(tags: readonly string[]): readonly Family[] {
  const byShape = new Map<string, string[]>();
  for (const tag of tags) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._+@/-]{0,100}$/.test(tag) || !/\d/.test(tag) || early.test(tag)) continue;
    const shape = shapeOf(tag);
    byShape.set(shape, [...(byShape.get(shape) ?? []), tag]);
  }
  return [...byShape]
    .map(([shape, members]) => ({ shape, tags: members.toSorted(naturalOrder) }))
    .toSorted((left, right) => weight(right) - weight(left));
}

/** A word in front often names a part of the program or a line of its versions (`previous-`): a family without one counts double. */
function weight({ shape, tags }: Family): number {
  return tags.length * (/^[vV]?[#0]/.test(shape) ? 2 : 1);
}

/** Numbers joined by dots are `#`, a lone one `0`, a commit's name `%`, a single letter at the end behind a number `&`. */
function shapeOf(tag: string): string {
  return tag
    .replace(/(?<=[-.+])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,40}(?=[-.+]|$)/g, "%")
    .replace(/\d+(?:\.\d+)+/g, "#")
    .replace(/\d+/g, "0")
    .replace(/(?<=[#0])[a-z]$/, "&");
}

const parts: Readonly<Record<string, string>> = {
  "#": String.raw`\d+(?:\.\d+)+`,
  "0": String.raw`\d+`,
  "%": "[0-9a-f]{7,40}",
  "&": "[a-z]?",
};
/** `-N`, `-rN`, `pN` behind a version count its revisions. */
const revisionShape = /^([-.+_]?[a-zA-Z]{1,9}[-.]?|[-+_])0$/;

/** Rules for a family, the one that takes most first. */
function rulesFor({ shape }: Family, families: readonly Family[]): readonly RegExp[] {
  const start = shape.search(/[#0]/);
  if (start < 0) return [];
  const [before, rest] = [shape.slice(0, start + 1), shape.slice(start + 1)];
  const prefix = `^${literally(before.slice(0, -1))}`;
  const first = parts[before.slice(-1)] ?? "";
  const has = (other: string): boolean => families.some((family) => family.shape === other);
  const mark = revisionShape.exec(rest)?.[1];
  const marks =
    mark !== undefined
      ? [mark]
      : rest === ""
        ? families.flatMap(({ shape: other }) =>
            other.startsWith(before) ? (revisionShape.exec(other.slice(before.length))?.[1] ?? []) : [],
          )
        : [];
  const alone = has(before);
  const revised = marks.map((between) => {
    const revision = `${literally(between)}(?<revision>\\d+)`;
    return new RegExp(`${prefix}(?<version>${first})${alone ? `(?:${revision})?` : revision}$`);
  });
  const last = Math.max(...["#", "0", "%", "&"].map((part) => rest.lastIndexOf(part)));
  const version = `${first}${written(rest.slice(0, last + 1))}`;
  return [...revised, new RegExp(`${prefix}(?<version>${version})${literally(rest.slice(last + 1))}$`)];
}

function written(shape: string): string {
  return [...shape].map((character) => parts[character] ?? literally(character)).join("");
}
