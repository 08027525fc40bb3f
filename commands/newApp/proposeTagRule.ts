import { doubtAbout, early } from "../../components/decide/doubts";
import { collectVersions, type TagCandidate } from "../../components/decide/versions";
import { literally } from "../../components/model/quoting";
import { compareVersions, naturalOrder } from "../../components/model/version";

/** How an app's tags are read. */
export interface TagRuleProposal {
  /** Undefined: the default rule reads them. */
  readonly tagRule?: RegExp;
  /** Why no rule is sure: the highest version is in doubt, or no tag looks like a version. */
  readonly doubt?: string;
}

/** Families of one or two tags are accidents. */
const fewest = 2;
/** So many tags are a scheme that upstream has taken to. */
const fewestOfAScheme = 5;
/** More shapes than this are no scheme. */
const mostFamilies = 30;

/** Tags that differ in their numbers only: `stable-11146-2` and `stable-9823-1` are `stable-~-~`. */
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
  const outdone = new Set<Family>();
  for (const family of families.slice(0, mostFamilies).filter(({ tags }) => tags.length >= fewest)) {
    for (const tagRule of rulesFor(family, families)) {
      if (doubt(candidates, tagRule) !== undefined) continue;
      const higher = higherThan(family, families);
      if (higher.some(({ tags }) => tags.length >= fewestOfAScheme)) {
        if (family.shape.includes("#")) outdone.add(family);
        continue;
      }
      const several =
        severalOf("programs", programs(family, families)) ?? severalOf("schemes", [family, ...outdone, ...higher]);
      return { tagRule, ...(several !== undefined && { doubt: several }) };
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

/**
 * The families of higher versions whose tags have no name in front, or the same: upstream may have another scheme by now. A lone number
 * beside tags of more names a line of versions.
 */
function higherThan({ shape, tags }: Family, families: readonly Family[]): readonly Family[] {
  const before = /^[^#~%&]*/.exec(shape)?.[0] ?? "";
  if (shape === `${before}~`) return families.filter(({ shape: other }) => other.startsWith(`${before}#`));
  if (!shape.startsWith(`${before}#`)) return [];
  const highest = leadingNumbers(tags);
  return families
    .filter(({ shape: other }) => other.startsWith(`${before}#`) || /^[vV]?#/.test(other))
    .filter((other) => compareVersions(leadingNumbers(other.tags), highest) < 0);
}

function leadingNumbers(tags: readonly string[]): string {
  return /\d+(?:\.\d+)+/.exec(tags.at(-1) ?? "")?.[0] ?? "0";
}

/** The families whose tags go on as those of a family behind other names, and are about as many: nothing says which program is meant. */
function programs(family: Family, families: readonly Family[]): readonly Family[] {
  const [name, rest] = nameOf(family);
  if (name === "") return [];
  return families.filter((other) => {
    const [word, end] = nameOf(other);
    return word !== "" && end === rest && 2 * other.tags.length >= family.tags.length;
  });
}

function severalOf(what: string, families: readonly Family[]): string | undefined {
  if (families.length < 2) return undefined;
  const shown = families.slice(0, 3).map(({ tags }) => JSON.stringify(tags.at(-1)));
  const more = families.length > 3 ? ", …" : "";
  return `its tags are of several ${what} (${shown.join(", ")}${more}); say in the app's tagRule which is meant`;
}

/** The name before a family's versions, and what follows it. */
function nameOf({ shape }: Family): readonly [string, string] {
  const [, name = "", rest = ""] = /^(.*?)([-_/@]?[vV]?[#~].*)$/.exec(shape) ?? [];
  return [name, rest];
}

function familiesOf(tags: readonly string[]): readonly Family[] {
  const byShape = new Map<string, string[]>();
  for (const tag of tags) {
    if (!/^[A-Za-z0-9@][A-Za-z0-9._+@/-]{0,100}$/.test(tag) || !/\d/.test(tag) || early.test(tag)) continue;
    const shape = shapeOf(tag);
    byShape.set(shape, [...(byShape.get(shape) ?? []), tag]);
  }
  return [...byShape]
    .map(([shape, members]) => ({ shape, tags: members.toSorted(naturalOrder) }))
    .toSorted((left, right) => weight(right) - weight(left));
}

/** A word in front often names a part of the program or a line of its versions (`previous-`): a family without one counts double. */
function weight({ shape, tags }: Family): number {
  return tags.length * (/^[vV]?[#~]/.test(shape) ? 2 : 1);
}

/**
 * Numbers joined by dots are `#`, a lone one `~`, a commit's name `%`, a single letter at the end behind a number `&`. The number of a
 * name (`openj9-0.60.0`) stays as it is.
 */
function shapeOf(tag: string): string {
  return tag
    .replace(/(?<=[-.+])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,40}(?=[-.+]|$)/g, "%")
    .replace(/\d+(?:\.\d+)+/g, "#")
    .replace(/(?<![a-z]{2}\d*)\d+|\d+(?!\d|[-_/@].*#)/gi, "~")
    .replace(/(?<=[#~])[a-z]$/, "&");
}

const parts: Readonly<Record<string, string>> = {
  "#": String.raw`\d+(?:\.\d+)+`,
  "~": String.raw`\d+`,
  "%": "[0-9a-f]{7,40}",
  "&": "[a-z]?",
};
/** `-N`, `-rN`, `pN` behind a version count its revisions; `-java8` and the like are other makes of the same. */
const revisionShape = /^([-.+_]?(?!py|pg|go|js)(?:[a-z]{1,2}|patch|rev|revision|hotfix|security|build)[-.]?|[-+_])~$/i;

/** Rules for a family, the one that takes most first. */
function rulesFor({ shape }: Family, families: readonly Family[]): readonly RegExp[] {
  const start = shape.search(/[#~]/);
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
  const last = Math.max(...["#", "~", "%", "&"].map((part) => rest.lastIndexOf(part)));
  const version = `${first}${written(rest.slice(0, last + 1))}`;
  return [...revised, new RegExp(`${prefix}(?<version>${version})${literally(rest.slice(last + 1))}$`)];
}

function written(shape: string): string {
  return [...shape].map((character) => parts[character] ?? literally(character)).join("");
}
