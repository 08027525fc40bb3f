import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries, platformsIn } from "../model/platform";
import type { PresentProbe, Probe } from "../model/probe";
import type { PublishedVersion } from "../model/published";

/** Everything the decision about one version rests on. */
export interface VersionFacts {
  /** Platforms the stack wants and upstream offers for this version. */
  readonly wanted: readonly Platform[];
  /** Platforms without which the version gets no tag; a subset of what the stack wants, offered or not. */
  readonly required: readonly Platform[];
  /** Platforms another run deals with. Without them the version gets no tag, but what this run deals with is built. */
  readonly elsewhere?: readonly Platform[];
  /** The version is one of those to keep. */
  readonly inWindow: boolean;
  /** What an earlier run recorded, when this stack manages the version. */
  readonly managed?: PublishedVersion;
  /** The registry's answer for the version's tag. */
  readonly probe: Probe;
  /**
   * The registry's answer for each recorded platform manifest, by digest.
   * Needed only when a managed tag is absent or names another digest than recorded.
   */
  readonly recordedManifests?: PerPlatform<"present" | "absent" | "unknown">;
  /** The registry lets nobody write a tag that exists again. */
  readonly immutable?: boolean;
  /** Why what the tag names is not this mirror's, when it is not and the stack does not take it over. */
  readonly foreign?: string;
}

/** One source of the version's index: what an earlier run declared, a manifest or index that exists in the app's repository, or the image made in this run for a platform. */
export type IndexSource =
  | { readonly kind: "recorded"; readonly reference: string }
  | { readonly kind: "existing"; readonly digest: Digest }
  | { readonly kind: "build"; readonly platform: Platform };

/** How one version stands, in the words of the report. */
type VersionState = "published" | "missing" | "partial" | "unknown" | "moved" | "not ours" | "gone" | "incomplete";

/** What is to be done about one version. */
export interface VersionPlan {
  readonly state: VersionState;
  /** Platforms to build in this run. */
  readonly build: readonly Platform[];
  /** Image resources to declare that exist already, with the digest they pushed. */
  readonly keep: PerPlatform<Digest>;
  /** Sources of the Index resource, in order; undefined: no Index is declared (adopted, or nothing to declare). */
  readonly sources?: readonly IndexSource[];
  /** What the tag holds now. */
  readonly present?: Pick<PresentProbe, "digest" | "platforms" | "misdescribed">;
  /** Origin to record once the plan has been carried out; undefined: nothing will be published. */
  readonly origin?: PublishedVersion["origin"];
  /** Platforms the index will offer once the plan has been carried out; only where it is written. */
  readonly offers?: readonly Platform[];
  /** Wanted platforms that will still be missing afterwards. */
  readonly lacking: readonly Platform[];
  /** Something an operator has to know; the run exits non-zero. */
  readonly problem?: string;
  /** The problem is that the registry does not let this version be read. */
  readonly unreadable?: true;
}

/**
 * Decides what is to be done about one version: the decision table of the design, and the only place that decides.
 *
 * Invariants, whatever the facts: a platform that exists is never built; nothing is built on an unknown answer; an index
 * that is declared anew keeps every platform the tag holds; a tag that was moved by others, or names what is not ours, is left alone;
 * what is declared once is declared again as long as it exists.
 */
export function decideVersion(facts: VersionFacts): VersionPlan {
  const { probe, managed } = facts;
  switch (probe.state) {
    case "unknown":
      return {
        ...untouched(facts, "unknown", `the registry gave no usable answer (${probe.cause}): ${probe.reason}`),
        ...(probe.cause === "authorisation" && { unreadable: true }),
      };
    case "absent":
      return whenAbsent(facts);
    case "present": {
      const conflict = managed && conflictWith(managed, probe, facts.recordedManifests ?? {});
      if (conflict !== undefined) return { ...untouched(facts, "moved", conflict), present: probe };
      return facts.foreign === undefined
        ? whenPresent(facts, probe)
        : { ...untouched(facts, "not ours", notOurs(facts.foreign)), present: probe };
    }
    default:
      return probe satisfies never;
  }
}

function notOurs(reason: string): string {
  return `the image under this tag is not ours: ${reason}; it is left as it is. Delete the tag, or set "adopted: true" to take it over`;
}

/** Whether carrying out the plan writes the version's index. */
export function writesIndex({ sources }: Pick<VersionPlan, "sources">): boolean {
  return sources?.some(({ kind }) => kind !== "recorded") ?? false;
}

/** Whether the version's tag offers, as it is now, all platforms without which it is not complete. What others put there does not count. */
export function isComplete({ present, state }: VersionPlan, required: readonly Platform[]): boolean {
  return (
    present !== undefined &&
    state !== "moved" &&
    state !== "not ours" &&
    required.every((platform) => platform in present.platforms)
  );
}

/** The same decision for a version that is not built in this run, for the reason given if that is a problem: what exists is declared as before. */
export function withholdBuild(facts: VersionFacts, problem?: string): VersionPlan {
  const plan = decideVersion(facts);
  const { managed, probe } = facts;
  const why = problem === undefined ? {} : { problem };
  if (probe.state !== "present") return { state: plan.state, build: [], keep: plan.keep, lacking: plan.build, ...why };
  return { ...withheld(managed, probe, plan.build), state: plan.state, ...why };
}

/** What exists is declared as before, and nothing is built. */
function withheld(
  managed: PublishedVersion | undefined,
  probe: PresentProbe,
  lacking: readonly Platform[],
): Omit<VersionPlan, "state"> {
  return {
    ...declaredAgain(managed, probe),
    build: [],
    lacking,
    present: probe,
    origin: managed?.origin ?? "adopted",
  };
}

/** A managed version is declared exactly as before; an unmanaged one is not touched at all. */
function untouched(facts: VersionFacts, state: VersionState, problem?: string): VersionPlan {
  const { managed, recordedManifests = {} } = facts;
  const images = platformEntries(managed?.images);
  return {
    state,
    build: [],
    keep: Object.fromEntries(images.filter(([platform]) => recordedManifests[platform] !== "absent")),
    lacking: [],
    ...(managed?.sources && { sources: managed.sources.map(recorded), origin: managed.origin }),
    ...(problem !== undefined && { problem }),
  };
}

function whenAbsent(facts: VersionFacts): VersionPlan {
  const { managed, inWindow, recordedManifests = {} } = facts;
  if (!inWindow) return { state: "gone", build: [], keep: {}, lacking: [] };
  const recorded = platformEntries(managed?.platforms);
  const doubtful = recorded
    .filter(([platform]) => recordedManifests[platform] === "unknown")
    .map(([platform]) => platform);
  if (doubtful.length > 0) {
    return untouched(
      facts,
      "unknown",
      `the registry gave no usable answer about the manifests of ${doubtful.join(", ")}`,
    );
  }
  const surviving = Object.fromEntries(recorded.filter(([platform]) => recordedManifests[platform] === "present"));
  return complete(facts, {
    state: "missing",
    held: surviving,
    kept: Object.values(surviving),
    origin: managed?.origin ?? "built",
  });
}

function whenPresent(facts: VersionFacts, probe: PresentProbe): VersionPlan {
  const { managed, wanted, inWindow } = facts;
  const missing = wanted.filter((platform) => !(platform in probe.platforms));
  if (missing.length === 0 || !inWindow) {
    const declared = declaredAgain(managed, probe);
    return {
      state: missing.length === 0 ? "published" : "partial",
      build: [],
      keep: declared.keep,
      lacking: missing,
      present: probe,
      origin: managed?.origin ?? "adopted",
      ...(declared.sources && { sources: declared.sources }),
    };
  }
  const { misdescribed = {}, gone = [], rewriteLoses = [] } = probe;
  if (facts.immutable) {
    const broken = missing.filter((platform) => platform in probe.lost || platform in misdescribed);
    const problem = `it lists ${broken.join(", ")}, which cannot be pulled, and its tag cannot be written again`;
    return { ...withheld(managed, probe, missing), state: "partial", ...(broken.length > 0 && { problem }) };
  }
  if (rewriteLoses.length > 0) {
    const problem = `it lacks ${missing.join(", ")} and is left as it is: its index, written anew, would lose ${rewriteLoses.join("; ")}`;
    return { ...withheld(managed, probe, missing), state: "incomplete", problem };
  }
  const intact = Object.keys(probe.lost).length + Object.keys(misdescribed).length + gone.length === 0;
  const held = { ...misdescribed, ...probe.platforms };
  return complete(facts, {
    state: "partial",
    held,
    // The whole index by digest keeps whatever else it holds. One that lists what is gone or cannot be pulled is composed anew.
    kept: intact ? [probe.digest] : [...Object.values(held), ...probe.others],
    origin: managed?.origin === "built" && intact ? "built" : (managed?.origin ?? "completed"),
    present: probe,
  });
}

interface Completion {
  readonly state: VersionState;
  /** Platform manifests that exist and stay. */
  readonly held: PerPlatform<Digest>;
  /** Digests the new index is made from, besides what is built. */
  readonly kept: readonly Digest[];
  readonly origin: PublishedVersion["origin"];
  readonly present?: PresentProbe;
}

/**
 * Builds the wanted platforms that are not held, and declares the index, provided every required platform will be in it. Where only
 * platforms another run deals with stand in its way, the images are built ahead of it.
 */
function complete(facts: VersionFacts, completion: Completion): VersionPlan {
  const { wanted, required, managed, elsewhere = [] } = facts;
  const { held, kept, state, origin, present } = completion;
  const build = wanted.filter((platform) => !(platform in held));
  const after = new Set<Platform>([...platformsIn(held), ...build]);
  const unmet = required.filter((platform) => !after.has(platform));
  const shown = { state, present, lacking: unmet };
  const keep = Object.fromEntries(
    platformEntries(managed?.images).filter(([, digest]) => Object.values(held).includes(digest)),
  );
  if (unmet.length > 0 || after.size === 0) {
    const declared = present ? declaredAgain(managed, present) : { keep };
    const ahead = build.length > 0 && unmet.every((platform) => elsewhere.includes(platform));
    return strip({
      ...shown,
      ...declared,
      ...(ahead ? { build } : { state: "incomplete", build: [] }),
      origin: present && (managed?.origin ?? "adopted"),
    });
  }
  const sources = [...kept.map(existing), ...build.map((platform): IndexSource => ({ kind: "build", platform }))];
  return strip({ ...shown, build, keep, sources, origin, offers: [...after] });
}

/** The resources of a managed version as the last run left them, less the images the index no longer holds. */
function declaredAgain(
  managed: PublishedVersion | undefined,
  probe: PresentProbe,
): { readonly keep: PerPlatform<Digest>; readonly sources?: readonly IndexSource[] } {
  const held = new Set<string>(Object.values(probe.platforms));
  const images = platformEntries(managed?.images);
  return {
    keep: Object.fromEntries(images.filter(([, digest]) => held.has(digest))),
    ...(managed?.sources && { sources: managed.sources.map(recorded) }),
  };
}

/**
 * Says how the tag differs from the record in a way only others can have caused, or undefined.
 * Gaining platforms is no conflict, nor is a new digest for a platform whose recorded manifest no longer exists:
 * that is this mirror's own repair, made by a run that did not live to record it.
 */
function conflictWith(
  managed: PublishedVersion,
  probe: PresentProbe,
  recordedManifests: NonNullable<VersionFacts["recordedManifests"]>,
): string | undefined {
  if (probe.digest === managed.digest) return undefined;
  const listed: PerPlatform<Digest> = { ...probe.lost, ...probe.misdescribed, ...probe.platforms };
  const differing = platformEntries(managed.platforms).filter(
    ([platform, digest]) => listed[platform] !== digest && recordedManifests[platform] !== "absent",
  );
  if (differing.length === 0) return undefined;
  const names = differing.map(([platform]) => platform).join(", ");
  return `the tag was moved by others: it names ${probe.digest}, this mirror published ${managed.digest} (differs for ${names}); left as it is`;
}

/** A source an index was declared with before, as it was spelled then. */
export function recorded(reference: string): IndexSource {
  return { kind: "recorded", reference };
}

function existing(digest: Digest): IndexSource {
  return { kind: "existing", digest };
}

/** Drops the keys whose value is undefined, which `exactOptionalPropertyTypes` does not take for absent ones. */
function strip(plan: { readonly [Key in keyof VersionPlan]: VersionPlan[Key] | undefined }): VersionPlan {
  return Object.fromEntries(Object.entries(plan).filter(([, value]) => value !== undefined)) as unknown as VersionPlan;
}
