import type { AppPlan, PlannedFloatingTag, PlannedVersion } from "../decide/appPlan";
import { writesIndex } from "../decide/versionPlan";
import type { Phase } from "../config/runOptions";
import type { PublishedApp, PublishedFloatingTag } from "../model/published";
import { untouched, type VersionOutcome } from "./versionOutcome";

/**
 * What became of one app. `published` is what the next run reads back; `problems` are those of the app itself, `failures` all there
 * are, those of its versions and floating tags among them.
 */
export interface AppOutcome {
  readonly published: PublishedApp;
  readonly outcomes: Readonly<Record<string, VersionOutcome>>;
  readonly problems: readonly string[];
  readonly unwritten: readonly UnwrittenTag[];
  readonly failures: readonly string[];
}

/** A floating tag that was to be written and was not. */
export interface UnwrittenTag {
  readonly tag: string;
  readonly problem: string;
}

/** What became of one floating tag, and what is to be recorded of it. */
export interface FloatingOutcome {
  readonly tag: string;
  readonly record?: PublishedFloatingTag;
  /** Why it was not written. */
  readonly problem?: string;
}

/** What becomes of an app whose versions and floating tags ended so. */
export function appOutcome(
  plan: AppPlan,
  versions: readonly (readonly [version: string, outcome: VersionOutcome])[],
  floating: readonly FloatingOutcome[],
): AppOutcome {
  const records = versions.flatMap(([version, outcome]) =>
    "record" in outcome && outcome.record ? [[version, outcome.record] as const] : [],
  );
  const failures = versions.flatMap(([version, outcome]) =>
    "reason" in outcome && outcome.state !== "waiting" ? [`${version}: ${outcome.reason}`] : [],
  );
  const { problems } = plan;
  const unwritten = floating.flatMap(({ tag, problem }) => (problem === undefined ? [] : [{ tag, problem }]));
  return {
    published: {
      repository: plan.repository,
      versions: Object.fromEntries(records),
      floatingTags: Object.fromEntries(floating.flatMap(({ tag, record }) => (record ? [[tag, record] as const] : []))),
      ...(plan.official && { official: plan.official.platforms }),
    },
    outcomes: Object.fromEntries(versions),
    ...{ problems, unwritten },
    failures: [...problems, ...unwritten.map(({ problem }) => problem), ...failures],
  };
}

/**
 * What becomes of an app as far as its plan tells: what is not to change is as it will be, what is stays `pending`. Of a plan
 * without changes ({@link changesSomething}) this is how the run ends.
 */
export function foreseenOutcome(plan: AppPlan, phase: Phase): AppOutcome {
  const versions = plan.versions
    .filter((planned) => planned.plan.state !== "gone" || (phase !== "build" && hasResources(planned)))
    .map((planned) => [planned.version, foreseen(planned, phase)] as const);
  const floating = phase === "build" ? [] : plan.floatingTags;
  return appOutcome(
    plan,
    versions,
    floating.map(({ tag, managed }) => ({ tag, ...(managed && { record: managed }) })),
  );
}

function foreseen(planned: PlannedVersion, phase: Phase): VersionOutcome {
  if (phase === "build") return { state: "pending" };
  const left = untouched(planned);
  if (writesIndex(planned.plan)) return { state: "pending" };
  return planned.plan.build.length === 0
    ? left
    : { state: "pending", ...("record" in left && { record: left.record }) };
}

/** Whether there is anything to declare for a version. */
export function hasResources(planned: PlannedVersion): boolean {
  const { plan, recipes, unpublishedBases, keptBases, attestation, referrers } = planned;
  return (
    plan.sources !== undefined ||
    plan.build.length > 0 ||
    Object.keys(plan.keep).length > 0 ||
    Object.keys(keptBases).length > 0 ||
    recipes.length + unpublishedBases.length > 0 ||
    (attestation !== undefined && attestation.mode !== "none") ||
    (referrers !== undefined && referrers.mode !== "none")
  );
}

/** Whether a run that is not split into parts changes anything of the app in the registry. */
export function changesSomething({ versions, floatingTags }: AppPlan): boolean {
  return versions.some(changesVersion) || floatingTags.some(movesTag);
}

function changesVersion({ plan, attestation, referrers }: PlannedVersion): boolean {
  return (
    plan.build.length > 0 ||
    writesIndex(plan) ||
    [attestation, referrers].some((beside) => beside?.mode === "fresh" || beside?.mode === "repair")
  );
}

function movesTag({ action }: PlannedFloatingTag): boolean {
  return action === "create" || action === "move";
}
