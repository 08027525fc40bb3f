import { failureKey, type Tries } from "../../components/decide/backoff";
import { resourceNames } from "../../components/model/resourceNames";
import { tookTooLong } from "../../components/declare/versionOutcome";
import { type AppResult, goodOutcomes, type VersionResult } from "../../components/report/appResult";
import type { Mistakes, RunFile } from "../../components/report/runFile";
import { safeText } from "../../components/model/safeText";
import type { BuildOutcome } from "./buildOutcomes";
import type { Progress } from "./progress";
import type { ReconcileRequest } from "./request";

/** In characters, of a line a build printed. */
const longestLine = 300;

/** How `npm run reconcile` ends: see its help. */
export type ExitCode = 0 | 1 | 2 | 3;

/** How the Pulumi command ended. */
export interface Ended {
  /** Pulumi's exit status was 0. */
  readonly good: boolean;
  /** Why the command was stopped from here. */
  readonly stopped?: string;
}

/** The exit status of a run that got as far as running the program. The program tells all its failures in one error. */
export function exitCode(
  { phase, acceptUnreadable }: Pick<ReconcileRequest, "phase" | "acceptUnreadable">,
  ended: Ended,
  progress: Pick<Progress, "changes" | "errors">,
  left: Pick<RunFile, "onlyUnreadable"> | Mistakes | undefined,
): ExitCode {
  if (left && "mistakes" in left) return 2;
  const accepted = phase === "plan" && acceptUnreadable && left?.onlyUnreadable && progress.errors.length === 1;
  if (!ended.good && !accepted) return 1;
  return phase === "plan" && progress.changes > 0 ? 3 : 0;
}

/**
 * How each build of this run went. Where Pulumi has no failed image for a platform that did not succeed, its check failed or
 * it never came to an end.
 */
export function buildOutcomes(
  { building, results = [] }: Pick<RunFile, "building" | "results">,
  progress: Pick<Progress, "build">,
  { stopped }: Ended,
): readonly BuildOutcome[] {
  return building.map(({ app, version, platform, limitSeconds = Infinity }): BuildOutcome => {
    const observed = progress.build(resourceNames.image(app, version, platform));
    const result = versionOf(results, app, version);
    const succeeded = observed?.state !== "failed" && (result?.platforms.includes(platform) ?? false);
    const seconds = observed?.state === "built" ? { seconds: observed.seconds } : {};
    if (succeeded) return { app, version, platform, ...seconds };
    const unfinished = stopped === undefined ? undefined : `it did not end: ${stopped}`;
    const overdue = (observed?.seconds ?? 0) >= limitSeconds ? `it ${tookTooLong(limitSeconds)}` : undefined;
    const own = observed?.state === "failed" ? (overdue ?? observed.failure) : unfinished;
    const reason = own ?? result?.reason;
    const ofVersion = own === undefined && reason !== undefined;
    const step = observed?.failedStep;
    const log = step && [`${platform} ${step.name}`, ...step.lines].map((line) => safeText(line, longestLine));
    const why = { reason: reason ?? "it failed", ...(ofVersion && { ofVersion }) };
    return { app, version, platform, ...seconds, ...why, ...(log && { log }) };
  });
}

/** What the results of a run are completed with. */
export interface Completion {
  readonly phase: ReconcileRequest["phase"];
  readonly verify?: AppResult["verify"];
  /** Why the tag of an Index could not be written, or something not be attached to it, by the name of the resource. */
  readonly refusal?: Progress["refusal"];
}

/** The results with the builds of all runs put in, and with what build runs and registry said about failures. */
export function completed(
  results: readonly AppResult[],
  outcomes: readonly BuildOutcome[],
  { phase, verify, refusal = () => undefined }: Completion,
): readonly AppResult[] {
  const because = (text: string, ...resources: readonly string[]): string => {
    const why = resources.map(refusal).find((said) => said !== undefined);
    return why === undefined ? text : `${text} (${why})`;
  };
  return results.map((result) => ({
    ...result,
    unwritten: (result.unwritten ?? []).map(({ tag, problem }) => {
      return { tag, problem: because(problem, resourceNames.floatingTag(result.app, tag)) };
    }),
    // A build run moves no tag, whatever its plan says.
    ...(phase === "build" && { floating: [] }),
    ...(verify && { verify }),
    versions: result.versions.map((version) => {
      const own = outcomes.filter(({ app, version: of }) => app === result.app && of === version.version);
      const why = failureOf(own);
      const log = logOf(own);
      return {
        ...version,
        ...(isMissing(version) && log && { log }),
        builds: own.flatMap(({ platform, seconds }) => (seconds === undefined ? [] : [{ platform, seconds }])),
        // That a build run failed is why it handed over nothing.
        ...(isMissing(version) && {
          reason: why ?? because(version.reason ?? "it is not published", ...writingOf(result.app, version.version)),
        }),
      };
    }),
  }));
}

/** What went wrong with a version's builds, in the words of the summary, the issue and the record of failures; undefined: nothing. */
function failureOf(outcomes: readonly BuildOutcome[]): string | undefined {
  const reasons = [...new Set(outcomes.flatMap(({ reason }) => (reason === undefined ? [] : [reason])))];
  const lines = reasons.map((reason) => {
    const own = outcomes.filter((outcome) => outcome.reason === reason);
    if (own.some(({ ofVersion }) => ofVersion)) return reason;
    const platforms = own.map(({ platform }) => platform);
    return `${platforms.toSorted().join(", ")}: ${reason}`;
  });
  return lines.length === 0 ? undefined : lines.toSorted().join("; ");
}

/** What the first of a version's builds that failed printed last; one is enough to see what is wrong. */
function logOf(outcomes: readonly BuildOutcome[]): readonly string[] | undefined {
  return outcomes.find(({ log }) => log !== undefined)?.log;
}

/** What a run that publishes adds to the record of failed builds. */
export function tries(results: readonly AppResult[], outcomes: readonly BuildOutcome[], at: Date): Tries {
  const versions = results.flatMap(({ app, versions: own }) =>
    own.map(({ version, outcome }) => ({ app, version, outcome })),
  );
  const complete = versions.filter(({ outcome }) => outcome === "built" || goodOutcomes.includes(outcome));
  const failed = versions.filter(isMissing).flatMap(({ app, version }) => {
    const why = failureOf(outcomes.filter((one) => one.app === app && one.version === version));
    return why === undefined ? [] : [[failureKey(app, version), why] as const];
  });
  const logs = [...new Map(failed).keys()].flatMap((key) => {
    const log = logOf(outcomes.filter(({ app, version }) => failureKey(app, version) === key));
    return log === undefined ? [] : [[key, log] as const];
  });
  return {
    failed: new Map(failed),
    logs: new Map(logs),
    complete: new Set(complete.map(({ app, version }) => failureKey(app, version))),
    at,
  };
}

/** The resources that write a version's index and what is attached to it. */
function writingOf(app: string, version: string): readonly string[] {
  const name = resourceNames.version(app, version);
  return [name, `${name}-attestation`, `${name}-referrers`];
}

function isMissing({ outcome }: Pick<VersionResult, "outcome">): boolean {
  return outcome === "missing" || outcome === "incomplete";
}

function versionOf(results: readonly AppResult[], app: string, version: string): VersionResult | undefined {
  return results.find((result) => result.app === app)?.versions.find((candidate) => candidate.version === version);
}
