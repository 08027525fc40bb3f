import { dirname, join } from "node:path";
import { verificationCommands } from "../../components/attest/verifyCommands";
import { type FailureRecord, failureKey, whyOverdue, recordTries } from "../../components/decide/backoff";
import { readFailureFile, writeFailureFile } from "../../components/report/failureFile";
import { markdownSection } from "../../components/report/markdown";
import { previewMarkdown } from "../../components/report/preview";
import type { RunFile } from "../../components/report/runFile";
import { summaryMarkdown, summaryText } from "../../components/report/summary";
import { cacheDirectory } from "../../components/system/cacheDirectory";
import { writeKept } from "../../components/system/placeWhole";
import { runAddress } from "../github/runAddress";
import { buildJobs } from "./buildJobs";
import { type BuildOutcome, readBuildOutcomes, writeBuildOutcomes } from "./buildOutcomes";
import type { PulumiContext, Ran } from "./byPulumi";
import { writeStepOutputs, writeSummary } from "./githubFiles";
import { type Departure, departures, mirroredAfter, readMirrored } from "./mirrored";
import { noticesOf, readTold } from "./notices";
import type { ReconcileRequest } from "./request";
import { resultOf, type RunResult, writeResult } from "./result";
import { buildOutcomes, completed, type Ended, tries } from "./verdict";
import type { Voice } from "./voice";
import { sendNotices } from "./webhook";

/** How the run went that something is left of. */
export interface Left {
  readonly progress: Ran["progress"];
  readonly ended: Ended;
}

/**
 * Everything a run leaves: files for other runs, the result, the summary, notices.
 * @returns `app version` of each that is overdue, and why it is.
 */
export async function leave(
  request: ReconcileRequest,
  run: RunFile,
  { progress, ended }: Left,
  { voice, environment }: Pick<PulumiContext, "voice" | "environment">,
): Promise<readonly { readonly name: string; readonly why: string }[]> {
  const now = new Date();
  const own = run.dryRun ? [] : buildOutcomes(run, progress, ended);
  if (request.phase === "build" && request.digests !== undefined && !run.dryRun) {
    const platforms = request.platforms ?? [...new Set(run.building.map(({ platform }) => platform))];
    await writeBuildOutcomes(request.digests, platforms, own);
  }
  const outcomes = request.phase === "publish" ? await handedOutcomes(request, voice) : own;
  const { verify } = run;
  const refusal = (resource: string): string | undefined => progress.refusal(resource);
  const command = verify && { verify: (reference: string) => verificationCommands(reference, verify)[0] ?? "" };
  const results = run.results && completed(run.results, outcomes, { phase: request.phase, refusal, ...command });
  const whole = request.keep === undefined && request.platforms === undefined;
  const { stack, catalogue } = request;
  const about = {
    stack,
    good: ended.good,
    whole,
    endedAt: now.toISOString(),
    ...(catalogue !== undefined && { catalogue }),
  };
  const publishes = request.phase === "all" || request.phase === "publish";
  // Of a run that only planned, or only built, another that publishes knows better.
  const isLast = !request.dryRun && (publishes || (request.phase === "plan" && progress.changes === 0));
  const gone = await departed(request, { ...run, ...(results && { results }) }, isLast);
  const dropped = gone.flatMap((departure) => (departure.dropped ? [departure.app] : []));
  const result = resultOf(run, results, { ...about, ...(dropped.length > 0 && { dropped }) });
  for (const entry of result.versions) voice.say({ event: "version", ...entry });
  const before: FailureRecord = request.failures === undefined ? {} : readFailureFile(request.failures);
  const failures = results && publishes ? recordTries(before, tries(results, outcomes, now)) : before;
  if (results && publishes && request.failures !== undefined) await writeFailureFile(request.failures, failures);
  if (results) voice.text(summaryText(results));
  for (const { app, text } of gone) voice.say({ event: "departure", app, text }, `note: ${text}`);
  if (!ended.good && isWell(result))
    voice.text("error: nothing is wrong with any app, but Pulumi failed; what it said is above");
  if (request.summary !== undefined) {
    const summary = results
      ? summaryMarkdown(results, partOf(request))
      : `## Mirror: plan\n\n${previewMarkdown(run.apps)}`;
    await writeSummary(request.summary, [summary, ...afterword(gone, catalogue)].join("\n\n"));
  }
  if (request.result !== undefined) await writeResult(request.result, result);
  if (request.outputs !== undefined && request.phase === "plan") {
    const platforms = [...new Set(run.building.map(({ platform }) => platform))].toSorted();
    await writeStepOutputs(request.outputs, {
      work: progress.changes > 0,
      jobs: buildJobs(platforms, request.emulate),
      missing: result.versions.filter(({ complete }) => !complete).length,
    });
  }
  if (isLast) await notify(request, result, environment, voice);
  return result.versions.flatMap(({ app, version, complete, released }) => {
    const why = complete ? undefined : whyOverdue(failures[failureKey(app, version)], released, now);
    return why === undefined ? [] : [{ name: `${app} ${version}`, why }];
  });
}

/** Which part of the work a summary is about. Build jobs stand beside each other and before the publishing one, which explains. */
function partOf({ phase, platforms = [] }: ReconcileRequest): { readonly part?: string; readonly explain: boolean } {
  if (phase === "all") return { explain: true };
  return phase === "build"
    ? { part: ["build", ...platforms].join(" "), explain: false }
    : { part: phase, explain: true };
}

/** What stands below a summary. */
function afterword(gone: readonly Departure[], catalogue: string | undefined): readonly string[] {
  const texts = gone.map(({ text }) => text);
  const link = catalogue === undefined ? [] : [`[Everything that is published](${catalogue})`];
  return [...markdownSection("No longer mirrored", texts), ...link];
}

function isWell({ apps, versions }: RunResult): boolean {
  return apps.every(({ problems }) => problems.length === 0) && versions.every(({ complete }) => complete);
}

/** What this run no longer keeps complete, said until a run that is the last of its kind has said it. */
async function departed(request: ReconcileRequest, run: RunFile, isLast: boolean): Promise<readonly Departure[]> {
  // A build run is one part of another; with --keep the versions to keep are those of this one run.
  if (request.phase === "build" || request.keep !== undefined) return [];
  const file = memory(request, "mirrored");
  const before = readMirrored(file);
  const wholly = request.apps === undefined;
  if (isLast) await writeKept(file, mirroredAfter(run, before, wholly));
  return departures(run, before, wholly);
}

/** A file that tells later runs of the stack something, beside the record of failures. Losing it does no harm. */
function memory({ failures, stack }: ReconcileRequest, kind: string): string {
  const folder = failures === undefined ? join(cacheDirectory(), "told") : dirname(failures);
  return join(folder, `${kind}-${stack.replaceAll("/", "-")}.json`);
}

/** Tells the webhook what is new. What could not be told is told by the next run. */
async function notify(
  request: ReconcileRequest,
  result: RunResult,
  environment: NodeJS.ProcessEnv,
  voice: Voice,
): Promise<void> {
  const { notify: webhook } = request;
  if (!webhook) return;
  const file = memory(request, "told");
  const before = readTold(file);
  const { notices, told } = noticesOf(result, before);
  const kept = { ...told };
  for (const [{ app, event }, why] of await sendNotices(webhook, notices, runAddress(environment))) {
    const text = `${app}: nobody was told of a ${event}: ${why}`;
    voice.say({ event: "message", severity: "warning", app, text }, `warning: ${text}`);
    if (event === "publication") continue;
    const known = before[app];
    if (known === undefined) Reflect.deleteProperty(kept, app);
    else kept[app] = known;
  }
  await writeKept(file, kept);
}

async function handedOutcomes({ digests = "" }: ReconcileRequest, voice: Voice): Promise<readonly BuildOutcome[]> {
  const { outcomes, malformed } = await readBuildOutcomes(digests);
  const text = `${malformed} lines about how builds went do not parse`;
  if (malformed > 0) voice.say({ event: "message", severity: "warning", text }, `warning: ${text}`);
  return outcomes;
}
