import type { FloatingTagRule } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import type { Probe } from "../model/probe";
import { compareVersions, isVersion, lineOf } from "../model/version";

/** A version of the app as a floating tag sees it. */
export interface FloatingCandidate {
  readonly version: string;
  /** Its own tag in the mirror, which no floating tag may take. */
  readonly mirrorTag: string;
  /** `complete`: published with every required platform. `pending`: will be, if this run's build succeeds. `incomplete`: will not be. */
  readonly state: "complete" | "pending" | "incomplete";
  /** It is whole, and only what this run is to sign about it is pending: its digest stays what it is. */
  readonly unsigned?: true;
  /** What the version's tag names now, where it exists. */
  readonly digest?: Digest;
  /** The registry gave no usable answer about it: the tag may name it. */
  readonly inDoubt?: true;
  /** Upstream commit, where it is known. */
  readonly commit?: string;
  /** The version is the present head of a `gitBranch` source: commits have no order, so only the head may be `latest`. */
  readonly head?: boolean;
}

/** A floating tag and the versions it may name, best first. Never empty; all but the last are pending, so the last resort is certain when it is complete. */
export interface DesiredFloatingTag {
  readonly tag: string;
  readonly candidates: readonly string[];
  /** The tag belongs to one commit and is written once (`sha-…`). */
  readonly fixed: boolean;
}

/** What is to be done about one floating tag. */
export interface FloatingTagMove {
  readonly tag: string;
  readonly action: "create" | "move" | "unchanged" | "hold";
  /**
   * The versions the tag may name, best first: take the first that is published when this run's builds have settled,
   * and leave the tag if none is. Empty when it is held.
   */
  readonly candidates: readonly string[];
  /** What the tag names now, and the version that is, if it is a known one. */
  readonly current?: { readonly digest: Digest; readonly version?: string };
  /** Why the tag is left alone. */
  readonly held?: string;
  /** An operator has to look at why it is held. */
  readonly problem?: boolean;
  /** It is held because the registry does not let it be read. */
  readonly unreadable?: true;
}

/** Floating tags wanted, and those that cannot be had. */
export interface DesiredFloatingTags {
  readonly tags: readonly DesiredFloatingTag[];
  readonly refused: readonly { readonly tag: string; readonly reason: string }[];
}

/**
 * Says which floating tags an app wants and which versions each may name. Incomplete versions are never among them.
 * A tag that is the version tag of another version is refused; one that is its own version's tag already is left out.
 */
export function desiredFloatingTags(
  rules: readonly FloatingTagRule[],
  versions: readonly FloatingCandidate[],
): DesiredFloatingTags {
  const descending = versions.toSorted((left, right) => compareVersions(left.version, right.version));
  const owners = new Map(descending.map((candidate) => [candidate.mirrorTag, candidate.version]));
  const wanted = new Map<string, { fixed: boolean; named: FloatingCandidate[] }>();
  for (const rule of new Set(rules)) {
    for (const candidate of descending) {
      const tag = candidate.state === "incomplete" ? undefined : tagFor(rule, candidate);
      if (tag === undefined || owners.get(tag) === candidate.version) continue;
      const entry = wanted.get(tag) ?? { fixed: rule === "sha" || rule === "commit", named: [] };
      wanted.set(tag, { ...entry, named: [...entry.named, candidate] });
    }
  }
  const refused = [...wanted.keys()].flatMap((tag) => {
    const owner = owners.get(tag);
    return owner === undefined ? [] : [{ tag, reason: `it is the tag of version ${owner}` }];
  });
  const tags = [...wanted]
    .filter(([tag]) => !owners.has(tag))
    .map(([tag, { fixed, named }]) => ({ tag, fixed, candidates: upToFirstComplete(named) }));
  return { tags, refused };
}

/**
 * Compares what a floating tag should name with what it names.
 *
 * Invariants: no candidate of a move is lower than the version the tag names now; a tag the registry gave no usable answer
 * about is not moved; a fixed tag is never moved. A tag that names none of the known versions is taken back.
 * @param current the registry's answer per floating tag; a tag without an answer is held.
 * @param recorded what this stack last wrote per floating tag. It names the version of a digest that its version tag has since left behind.
 */
export function floatingTagMoves(
  desired: readonly DesiredFloatingTag[],
  versions: readonly FloatingCandidate[],
  current: Readonly<Record<string, Probe>>,
  recorded: Readonly<Record<string, { readonly version: string; readonly digest: Digest }>> = {},
): readonly FloatingTagMove[] {
  return desired.map((wanted) => {
    const { tag, candidates } = wanted;
    const probe = Object.hasOwn(current, tag) ? current[tag] : undefined;
    if (probe === undefined) return { tag, ...hold("the registry was not asked", true) };
    switch (probe.state) {
      case "unknown":
        return {
          tag,
          ...hold(`the registry gave no usable answer (${probe.cause}): ${probe.reason}`, true),
          ...(probe.cause === "authorisation" && { unreadable: true }),
        };
      case "absent":
        return { tag, action: "create", candidates };
      case "present": {
        const { digest } = probe;
        const before = Object.hasOwn(recorded, tag) ? recorded[tag] : undefined;
        const named = versionOf(digest, versions, before?.digest === digest ? before.version : undefined);
        const decision = wanted.fixed ? stayed(wanted, digest, named) : forward(wanted, digest, named, versions);
        return { tag, ...decision, current: { digest, ...(named && { version: named.version }) } };
      }
      default:
        return probe satisfies never;
    }
  });
}

type Decision = Omit<FloatingTagMove, "tag">;

type Named = Pick<FloatingCandidate, "version" | "state" | "unsigned" | "digest" | "commit">;

/**
 * A tag that was written once and is not among those wanted now: it is left as it is, with the reason.
 * @param current the registry's answer about it.
 * @param before what this stack last wrote.
 */
export function unwantedTag(
  tag: string,
  before: { readonly version: string; readonly digest: Digest },
  current: Probe | undefined,
  rules: readonly FloatingTagRule[],
  versions: readonly FloatingCandidate[],
): FloatingTagMove {
  const held = whyUnwanted(tag, before.version, rules, versions);
  if (current?.state === "absent") return { tag, ...hold(`it is gone, and not written anew: ${held}`, false) };
  if (current?.state !== "present") return { tag, ...hold(held, false) };
  const { digest } = current;
  const named = versionOf(digest, versions, before.digest === digest ? before.version : undefined);
  return { tag, ...hold(held, false), current: { digest, ...(named && { version: named.version }) } };
}

function whyUnwanted(
  tag: string,
  version: string,
  rules: readonly FloatingTagRule[],
  versions: readonly FloatingCandidate[],
): string {
  const owner = versions.find(({ mirrorTag }) => mirrorTag === tag);
  if (owner) return `it is the tag of version ${owner.version}`;
  const asks = (candidate: FloatingCandidate): boolean => rules.some((rule) => tagFor(rule, candidate) === tag);
  if (versions.some(asks)) return "no version it may name is complete";
  const commit = /^(?:sha-)?([0-9a-f]{8})$/.exec(tag)?.[1];
  const then: FloatingCandidate = { version, mirrorTag: version, state: "complete", head: true };
  return asks(commit === undefined ? then : { ...then, commit })
    ? "no version it may name is kept any more"
    : "no rule asks for it any more";
}

/** The version a digest belongs to, the highest if there are several; else the one on record for it, even if it is not among the versions any more. */
function versionOf(
  digest: Digest,
  versions: readonly FloatingCandidate[],
  recorded: string | undefined,
): Named | undefined {
  const holder = highest(versions.filter((known) => known.digest === digest));
  if (holder || recorded === undefined) return holder;
  return versions.find((known) => known.version === recorded) ?? { version: recorded, state: "incomplete" };
}

function highest(versions: readonly FloatingCandidate[]): FloatingCandidate | undefined {
  return versions.toSorted((left, right) => compareVersions(left.version, right.version))[0];
}

/** A tag that follows the versions. When it names none of those the registry told of, it may name any that is in doubt. */
function forward(
  { tag, candidates }: DesiredFloatingTag,
  digest: Digest,
  named: Named | undefined,
  versions: readonly FloatingCandidate[],
): Decision {
  // A version of another line, such as 11.0.0 under the tag 10, is no lower bound: the tag was never meant to name it.
  const isOfTag = ({ version }: Named): boolean => tag === "latest" || isOfLine(version, tag);
  const bound = named && isOfTag(named) ? named : undefined;
  const doubt = named ? undefined : highest(versions.filter((known) => known.inDoubt && isOfTag(known)));
  const lowest = bound ?? doubt;
  // Nor is a commit, which has no place among versions; and the head of a branch is never behind one.
  const ordered =
    lowest && !isCommit(lowest) && !versions.some(({ version, head }) => head && version === candidates[0]);
  const ahead = ordered ? candidates.filter((version) => compareVersions(version, lowest.version) <= 0) : candidates;
  if (ahead.length === 0 && doubt)
    return hold(`it may name ${doubt.version}, about which the registry gave no usable answer`, true);
  if (ahead.length === 0) return hold(`it names ${bound?.version}, higher than every complete version`, false);
  return { action: ahead[0] === bound?.version && isSettled(bound, digest) ? "unchanged" : "move", candidates: ahead };
}

/** A tag that belongs to one commit: it stays with its version, and follows only when that version gains a platform. */
function stayed({ tag }: DesiredFloatingTag, digest: Digest, named: Named | undefined): Decision {
  const own = named?.commit !== undefined && tag.endsWith(shortCommit(named.commit));
  if (!own) return hold("it names an image of something else and is never moved", true);
  if (named.state === "incomplete") return hold(`its version ${named.version} is not complete`, false);
  return { action: isSettled(named, digest) ? "unchanged" : "move", candidates: [named.version] };
}

/** Whether a version is whole and this is its image, rather than one it had before it gained a platform. */
function isSettled(named: Named | undefined, digest: Digest): boolean {
  return (named?.state === "complete" || named?.unsigned === true) && named.digest === digest;
}

function hold(held: string, problem: boolean): Decision {
  return { action: "hold", candidates: [], held, problem };
}

/** Whether the name is that of the commit, as a branch's version is. */
function isCommit({ version, commit = "" }: Pick<FloatingCandidate, "version" | "commit">): boolean {
  return !isVersion(version) || commit.startsWith(version);
}

function isOfLine(version: string, line: string): boolean {
  return lineOf(version, 1) === line || lineOf(version, 2) === line;
}

function tagFor(rule: FloatingTagRule, candidate: FloatingCandidate): string | undefined {
  const { version, commit, head = false } = candidate;
  const ordered = !isCommit(candidate);
  switch (rule) {
    case "latest":
      return ordered || head ? "latest" : undefined;
    case "major":
      return ordered ? lineOf(version, 1) : undefined;
    case "minor":
      return ordered ? lineOf(version, 2) : undefined;
    case "sha":
      return commit === undefined ? undefined : `sha-${shortCommit(commit)}`;
    case "commit":
      return commit === undefined ? undefined : shortCommit(commit);
    default:
      return rule satisfies never;
  }
}

function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}

function upToFirstComplete(descending: readonly FloatingCandidate[]): readonly string[] {
  const certain = descending.findIndex(({ state }) => state === "complete");
  return descending.slice(0, certain < 0 ? undefined : certain + 1).map(({ version }) => version);
}
