import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { notAsked } from "../../components/declare/versionOutcome";
import type { AppReport, PlatformReport } from "../../components/report/appReport";
import { type AppResult, goodOutcomes, problemsOf } from "../../components/report/appResult";
import type { RunFile } from "../../components/report/runFile";

const version = z.object({
  app: z.string(),
  version: z.string(),
  /** Whether it is published whole and nothing is wrong with it. */
  complete: z.boolean(),
  /** As the summary says it. */
  outcome: z.string(),
  reason: z.string().optional(),
  /** When it waits after builds that failed: what went wrong in the last of them. */
  lastFailure: z.string().optional(),
  /** What the build that failed last printed last: platform and step, then lines. */
  log: z.array(z.string()).optional(),
  /** When upstream released it, where the source says so. */
  released: z.iso.datetime().optional(),
});

const schema = z.object({
  stack: z.string(),
  good: z.boolean(),
  /** The run was asked for all versions and platforms of its apps. */
  whole: z.boolean(),
  /** Where the catalogue of it all is. */
  catalogue: z.string().optional(),
  /** When the run ended. */
  endedAt: z.iso.datetime().optional(),
  /** Apps that were taken out of the stack since the last run. */
  dropped: z.array(z.string()).optional(),
  /** `upstream`: what upstream did about the platforms of its own image. */
  apps: z.array(z.object({ app: z.string(), problems: z.array(z.string()), upstream: z.array(z.string()).optional() })),
  versions: z.array(version),
});

/** What one run found or did, in few words: what `--result` leaves for `npm run issues`. Text may come from upstream. */
export type RunResult = z.output<typeof schema>;

const settled: readonly string[] = ["published", "adopted", "not offered", "-"];
const troubled: readonly string[] = ["unknown", "moved", "not ours", "waiting"];

/** The result of a run that only looked, or with `results` of one that did something. */
export function resultOf(
  run: RunFile,
  results: readonly AppResult[] | undefined,
  about: Pick<RunResult, "stack" | "good" | "whole" | "catalogue" | "endedAt" | "dropped">,
): RunResult {
  const rows = results ? results.flatMap(versionsDone) : run.apps.flatMap(versionsSeen);
  const versions = rows.map((row) => ({ ...row, ...releasedAt(run, row) }));
  const apps = run.apps.map((report) => {
    // Of what was done, more may have gone wrong than of what was found: a floating tag.
    const done = results?.find(({ app }) => app === report.app);
    return appRow({ ...report, ...(done && { problems: problemsOf(done) }) });
  });
  return { ...about, apps, versions };
}

function appRow({ app, problems, upstream }: AppReport): RunResult["apps"][number] {
  return { app, problems: [...problems], ...(upstream && { upstream: [...upstream] }) };
}

function releasedAt({ apps }: RunFile, { app, version: name }: VersionRow): Pick<VersionRow, "released"> {
  const seen = apps.find((one) => one.app === app)?.versions.find((one) => one.version === name);
  return seen?.released === undefined ? {} : { released: seen.released };
}

type VersionRow = RunResult["versions"][number];

function versionsDone({ app, versions }: AppResult): readonly VersionRow[] {
  return versions.map(({ version: name, outcome, reason, lastFailure, log }) => ({
    app,
    version: name,
    complete: goodOutcomes.includes(outcome),
    outcome,
    ...(reason !== undefined && { reason }),
    ...(lastFailure !== undefined && { lastFailure }),
    ...(log && { log: [...log] }),
  }));
}

function versionsSeen({ app, versions }: AppReport): readonly VersionRow[] {
  return versions.map(({ version: name, state, problem, waits, lastFailure, lastLog, platforms }) => {
    const lacking = platforms.filter((platform) => !settled.includes(platform.state));
    const complete = problem === undefined && !troubled.includes(state) && lacking.length === 0;
    // Nothing is built of a version as long as upstream does not offer what it needs.
    const upstreamLacks = state === "incomplete" && platforms.some((platform) => platform.state === "not offered");
    // Nor of what the run was not asked for.
    const notMeant = state === "incomplete" && lacking.length > 0 && lacking.every(({ note }) => note === notAsked);
    const why = problem ?? waits ?? (upstreamLacks ? "it waits for upstream" : listed(lacking));
    return {
      app,
      version: name,
      complete,
      outcome: upstreamLacks || notMeant ? "waiting" : state,
      ...(!complete && why && { reason: why }),
      ...(lastFailure !== undefined && { lastFailure }),
      ...(lastLog && { log: [...lastLog] }),
    };
  });
}

function listed(platforms: readonly PlatformReport[]): string {
  return platforms.map(({ platform, state }) => `${platform} ${state}`).join(", ");
}

/** Leaves the result in a file, of a run that ends now. */
export async function writeResult(path: string, result: RunResult): Promise<void> {
  const ended = { ...result, endedAt: new Date().toISOString() };
  await writeFile(path, `${JSON.stringify(ended, undefined, 2)}\n`);
}

/** @throws Error naming the file when it cannot be read as a result. */
export async function readResult(path: string): Promise<RunResult> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(`${JSON.stringify(path)} cannot be read as the result of a run`, { cause });
  }
}
