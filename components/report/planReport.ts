import type { AppPlan, PlannedFloatingTag, PlannedVersion } from "../decide/appPlan";
import { notAsked } from "../declare/versionOutcome";
import { describeWait } from "../decide/backoff";
import type { Platform } from "../model/platform";
import type { AppReport, FloatingReport, PlatformReport, ReportState, VersionReport } from "./appReport";

/** Further remarks a plan does not know: version → gaps, such as `unsigned` or `no SBOM linux/arm64`. */
export type VersionNotes = ReadonlyMap<string, readonly string[]>;

/** An app's plan as the preview shows it. Floating tags that are where they belong are left out. */
export function planReport(plan: AppPlan, notes: VersionNotes = new Map()): AppReport {
  return {
    app: plan.specification.name,
    repository: plan.repository,
    versions: plan.versions.map((version) => versionReport(version, plan.platforms, notes.get(version.version) ?? [])),
    ...(plan.window && { window: plan.window }),
    floating: plan.floatingTags.filter(({ action }) => action !== "unchanged").map(floatingReport),
    rejected: plan.rejected,
    notes: [...plan.notes, ...officialNotes(plan)],
    ...(plan.official && plan.official.changes.length > 0 && { upstream: plan.official.changes }),
    problems: plan.problems,
  };
}

function versionReport(planned: PlannedVersion, wanted: readonly Platform[], notes: readonly string[]): VersionReport {
  const { version, tag, plan, waiting } = planned;
  const adopted = plan.state === "published" && plan.origin === "adopted";
  return {
    version,
    tag,
    state: waiting !== undefined ? "waiting" : adopted ? "adopted" : plan.state,
    platforms: wanted.map((platform) => platformReport(planned, platform)),
    notes,
    ...(waiting && { waits: describeWait(waiting), lastFailure: waiting.failure.reason }),
    ...(waiting?.failure.log && { lastLog: waiting.failure.log }),
    ...(plan.problem !== undefined && { problem: plan.problem }),
    ...releasedAt(planned),
  };
}

/** A source may write the time in any zone, or something else in its place. */
function releasedAt({ release }: PlannedVersion): Pick<VersionReport, "released"> {
  const time = Date.parse(release?.publishedAt ?? "");
  return Number.isNaN(time) ? {} : { released: new Date(time).toISOString() };
}

function platformReport(planned: PlannedVersion, platform: Platform): PlatformReport {
  const state = platformState(planned, platform);
  const skipped = planned.elsewhere?.includes(platform) ? notAsked : undefined;
  const note = { "not offered": planned.notOffered[platform], missing: skipped }[state as string];
  return { platform, state, ...(note !== undefined && { note }) };
}

function platformState(
  { plan, copies, records, notOffered, official, waiting }: PlannedVersion,
  platform: Platform,
): ReportState {
  if (plan.build.includes(platform)) {
    if (platform in copies) return "will copy";
    return platform in records ? "will publish" : "will build";
  }
  if (plan.offers?.includes(platform) && !(platform in (plan.present?.platforms ?? {}))) return "will repair";
  if (plan.present && platform in plan.present.platforms) return plan.origin === "adopted" ? "adopted" : "published";
  if (platform in notOffered) return "not offered";
  if (waiting !== undefined && plan.lacking.includes(platform)) return "waiting";
  if (plan.state === "unknown" || plan.state === "gone") return plan.state;
  return official.includes(platform) && !plan.lacking.includes(platform) ? "-" : "missing";
}

function floatingReport({ tag, action, candidates, current, held }: PlannedFloatingTag): FloatingReport {
  const from = current && { from: current.version ?? current.digest };
  const [best, ...others] = candidates;
  if (action === "hold" || best === undefined) return { tag, ...from, ...(held !== undefined && { note: held }) };
  const note = others.length === 0 ? {} : { note: `or ${others.join(", ")}, if that is not published by then` };
  return { tag, ...from, to: best, ...note };
}

function officialNotes({ platforms, versions }: AppPlan): readonly string[] {
  return platforms.flatMap((platform) => {
    const names = versions.filter(({ official }) => official.includes(platform)).map(({ version }) => version);
    return names.length === 0 ? [] : [`upstream publishes ${platform} itself: ${names.join(", ")}`];
  });
}
