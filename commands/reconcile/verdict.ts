import { failureKey, type Tries } from "../../components/decide/backoff";
import { resourceNames } from "../../components/model/resourceNames";
import type { AppResult, VersionResult } from "../../components/report/appResult";
import type { RunFile } from "../../components/report/runFile";
import type { BuildRecord } from "./buildRecords";
import type { Progress } from "./progress";
import type { ReconcilePhase } from "./request";

/** How `npm run reconcile` ends: see its help. */
export type ExitCode = 0 | 1 | 2 | 3;

/** How the Pulumi command ended. */
export interface Ended {
  /** Pulumi's exit status was 0. */
  readonly good: boolean;
  /** Why the command was stopped from here. */
  readonly stopped?: string;
}

/** The exit status of a run that got as far as running the program. */
export function exitCode(
  phase: ReconcilePhase,
  { good }: Ended,
  progress: Pick<Progress, "changes" | "errors">,
): ExitCode {
  if (!good && progress.errors.some((text) => /mistakes? in the |the configuration has mistakes/.test(text))) return 2;
  if (phase === "plan" && progress.changes > 0) return 3;
  return good ? 0 : 1;
}

/**
 * How each build of this run went. Where Pulumi has no failed image for a platform that did not succeed, its check failed or
 * it never came to an end.
 */
export function buildRecords(
  { building, results = [] }: Pick<RunFile, "building" | "results">,
  progress: Pick<Progress, "build">,
  { stopped }: Ended,
): readonly BuildRecord[] {
  return building.map(({ app, version, platform }): BuildRecord => {
    const observed = progress.build(resourceNames.image(app, version, platform));
    const result = versionOf(results, app, version);
    const succeeded = observed?.state !== "failed" && (result?.platforms.includes(platform) ?? false);
    const seconds = observed?.state === "built" ? { seconds: observed.seconds } : {};
    if (succeeded) return { app, version, platform, ...seconds };
    const unfinished = stopped === undefined ? undefined : `it did not end: ${stopped}`;
    const reason = observed?.state === "failed" ? result?.reason : (unfinished ?? result?.reason);
    return { app, version, platform, ...seconds, reason: reason ?? "it failed" };
  });
}

/** The results with the builds of all runs put in, and with what build runs said about failures. */
export function completed(
  results: readonly AppResult[],
  records: readonly BuildRecord[],
  verify: ((reference: string) => string) | undefined,
): readonly AppResult[] {
  return results.map((result) => ({
    ...result,
    // A build run moves no tag, whatever its plan says.
    ...(result.versions.some(({ outcome }) => outcome === "built") && { floating: [] }),
    ...(verify && { verify }),
    versions: result.versions.map((version) => {
      const own = records.filter((record) => record.app === result.app && record.version === version.version);
      const why = own.flatMap(({ platform, reason }) => (reason === undefined ? [] : [`${platform}: ${reason}`]));
      const told = version.reason !== undefined && why.every((line) => line.endsWith(`: ${version.reason}`));
      return {
        ...version,
        builds: own.flatMap(({ platform, seconds }) => (seconds === undefined ? [] : [{ platform, seconds }])),
        ...(version.outcome === "missing" &&
          why.length > 0 &&
          !told && { reason: [...(version.reason === undefined ? [] : [version.reason]), ...why].join("; ") }),
      };
    }),
  }));
}

/** What a run that publishes adds to the record of failed builds. */
export function tries(results: readonly AppResult[], records: readonly BuildRecord[], at: Date): Tries {
  const failed = new Map(
    records.flatMap(({ app, version, platform, reason }) =>
      reason === undefined ? [] : [[failureKey(app, version), `${platform}: ${reason}`] as const],
    ),
  );
  const complete = results.flatMap(({ app, versions }) =>
    versions.flatMap(({ version, outcome }) =>
      outcome === "missing" || outcome === "waiting" ? [] : [failureKey(app, version)],
    ),
  );
  return { failed, complete: new Set(complete.filter((key) => !failed.has(key))), at };
}

function versionOf(results: readonly AppResult[], app: string, version: string): VersionResult | undefined {
  return results.find((result) => result.app === app)?.versions.find((candidate) => candidate.version === version);
}
