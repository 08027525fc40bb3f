import type { PlannedVersion } from "../decide/appPlan";
import { describeWait } from "../decide/backoff";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import type { PublishedVersion } from "../model/published";
import { isComplete } from "../decide/versionPlan";

/** How a version ended in this run. `pending`: a preview, it will be published by the next `up`. */
export type VersionOutcome =
  | { readonly state: "published"; readonly record: PublishedVersion }
  | { readonly state: "pending"; readonly record?: PublishedVersion }
  /** These images are pushed by digest and checked, for another run to publish. `reason` says what is wrong with the others. */
  | {
      readonly state: "built";
      readonly images: PerPlatform<Digest>;
      readonly reason?: string;
      readonly record?: PublishedVersion;
    }
  /** Left alone: its builds failed in earlier runs, or upstream lacks what it needs. It is missing, but that is no new failure. */
  | {
      readonly state: "waiting";
      readonly reason: string;
      /** What went wrong in the last try. Undefined: nothing did, upstream does not offer what is missing. */
      readonly lastFailure?: string;
      /** What that build printed last. */
      readonly lastLog?: readonly string[];
      readonly record?: PublishedVersion;
    }
  /** `incomplete`: the tag does not offer what it should, or is not signed, so no floating tag may name it. */
  | {
      readonly state: "failed";
      readonly reason: string;
      readonly record?: PublishedVersion;
      readonly incomplete?: true;
    };

/** The outcome of a version that this run leaves as it is. */
export function untouched(planned: PlannedVersion): VersionOutcome {
  const { plan, managed, release, recordedCommit, tag, keptBases, attested, attestation, referrers, waiting } = planned;
  const commit = recordedCommit ?? release?.commit;
  const seen =
    plan.present && plan.state !== "moved" && plan.state !== "not ours"
      ? { digest: plan.present.digest, platforms: plan.present.platforms }
      : managed && { digest: managed.digest, platforms: managed.platforms };
  const sources = managed?.sources ?? recordedSources(plan);
  const images = sources !== undefined || Object.keys(plan.keep).length > 0 ? plan.keep : undefined;
  const record: PublishedVersion | undefined = seen && {
    tag,
    ...seen,
    origin: managed?.origin ?? "adopted",
    ...(commit !== undefined && { commit }),
    ...(sources && { sources }),
    ...(images && { images }),
    ...(managed?.baseImages && { baseImages: keptBases }),
    ...(attested && { attested }),
    ...(referrers?.declared && { referrers: true }),
    ...(plan.state === "gone" && { absent: true }),
  };
  const problem = plan.problem ?? attestation?.problem ?? referrers?.problem;
  if (problem === undefined && waiting !== undefined)
    return {
      ...{ state: "waiting", reason: describeWait(waiting), lastFailure: waiting.failure.reason },
      ...(waiting.failure.log && { lastLog: waiting.failure.log }),
      ...(record && { record }),
    };
  if (record && problem === undefined) return { state: "published", record };
  const reason = problem ?? whyNot(planned);
  // What upstream does not offer is no failure of this mirror: the version is completed when upstream does. Nor is what it was not asked for.
  const excused = (platform: Platform): boolean =>
    platform in planned.notOffered || (planned.elsewhere?.includes(platform) ?? false);
  if (problem === undefined && plan.lacking.length > 0 && plan.lacking.every(excused))
    return { state: "waiting", reason };
  return { state: "failed", reason, ...(record && { record }) };
}

/** The sources of an index that is declared as it was. */
function recordedSources({ sources }: PlannedVersion["plan"]): readonly string[] | undefined {
  const references = sources?.flatMap((source) => (source.kind === "recorded" ? [source.reference] : []));
  return references?.length === sources?.length ? references : undefined;
}

/** A version that was to change and did not: what was recorded of it before stays recorded, complete or not. */
export function failed(version: PlannedVersion, reason: string): VersionOutcome {
  const before = untouched(version);
  const record = "record" in before ? before.record : undefined;
  if (!record) return { state: "failed", reason };
  return {
    ...{ state: "failed", reason, record },
    ...(!isComplete(version.plan, version.required) && { incomplete: true }),
  };
}

/** What to add where a tag could not be written. @param present it names something already. */
export function adviceOnTags(present: boolean): string {
  return present ? "; if the registry lets nobody write a tag again, set immutableTags" : "";
}

/** Of a platform that is wanted, in a run that was asked for others. */
export const notAsked = "this run builds nothing for it";

/** What a build did that was ended because of its time. */
export function tookTooLong(limitSeconds: number): string {
  const [size, unit] = (
    [
      [3600, "h"],
      [60, "m"],
      [1, "s"],
    ] as const
  ).find(([one]) => limitSeconds % one === 0) ?? [1, "s"];
  return `took longer than ${limitSeconds / size}${unit}, the most it may (buildLimit)`;
}

/** Why a version that nothing went wrong with is not published. */
function whyNot({ plan, notOffered, elsewhere = [] }: PlannedVersion): string {
  const lacking = plan.lacking.map((platform) => {
    const why = notOffered[platform] ?? (elsewhere.includes(platform) ? notAsked : undefined);
    return `${platform}${why === undefined ? "" : ` (${why})`}`;
  });
  return lacking.length === 0 ? "it is not published" : `it waits for ${lacking.join(", ")}`;
}
