import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { verificationCommands } from "../../components/attest/verifyCommands";
import { recordTries } from "../../components/decide/backoff";
import { readFailureFile, writeFailureFile } from "../../components/report/failureFile";
import { previewMarkdown } from "../../components/report/preview";
import type { RunFile } from "../../components/report/runFile";
import { summaryMarkdown, summaryText } from "../../components/report/summary";
import { buildJobs } from "./buildJobs";
import { type BuildRecord, readBuildRecords, writeBuildRecords } from "./buildRecords";
import { byPulumi, type PulumiContext, pulumiEnvironment, type Ran, runEnvironment } from "./byPulumi";
import { writeStepOutputs, writeSummary } from "./githubFiles";
import { type KeptState, readKeptState } from "./keptState";
import { type FirstLook, lookFirst } from "./lookFirst";
import { looksOnly, type ReconcileRequest } from "./request";
import { resultOf, writeResult } from "./result";
import { buildRecords, completed, type ExitCode, exitCode, tries } from "./verdict";
import type { Voice } from "./voice";
import { readConfiguration } from "./workFolder";

/**
 * Does one part of the work: look, state, Pulumi, result, record of failures, summary, step outputs. Pulumi is started only when
 * there is something to do.
 * @returns the exit status. @throws UsageError when nothing can be done.
 */
export async function reconcile(request: ReconcileRequest, context: PulumiContext): Promise<ExitCode> {
  const config = await readConfiguration(request);
  const { voice } = context;
  voice.say({ event: "start", stack: request.stack }, `${request.phase}: stack ${request.stack}`);
  await makeFolders(request);
  const ran = (await byLooking(request, config, context)) ?? (await byPulumi(request, config, context));
  return conclude(request, ran, voice);
}

/** Looks, and is done when that was all there is to do; undefined: it is Pulumi's turn. */
async function byLooking(request: ReconcileRequest, config: string, context: PulumiContext): Promise<Ran | undefined> {
  // Of a run that builds or publishes, another has found out that there is something to do.
  if (!looksOnly(request) && request.phase !== "all") return undefined;
  const looked = await lookBefore(request, config, context);
  if (!looked || (!looksOnly(request) && (looked.work.registry || looked.work.state))) return undefined;
  const { left, text, work, errors } = looked;
  const { voice } = context;
  if (text !== "") voice.say({ event: "message", severity: "info", text }, text);
  for (const error of errors) voice.say({ event: "message", severity: "error", text: error }, `error: ${error}`);
  const end = { status: errors.length === 0 ? 0 : 1, output: "" };
  return { end, progress: { changes: work.registry ? 1 : 0, errors, build: () => undefined }, left };
}

async function lookBefore(
  request: ReconcileRequest,
  config: string,
  { pulumi, environment, voice }: PulumiContext,
): Promise<FirstLook | undefined> {
  const readState = async (backend: string): Promise<KeptState | undefined> => {
    const { program, path } = await pulumi();
    const own = pulumiEnvironment(request, { state: backend }, { ...environment, PATH: path });
    return readKeptState(request.stack, { program, directory: request.project, environment: own });
  };
  // Read while upstream is asked already.
  const state = request.state === undefined ? Promise.resolve(undefined) : readState(request.state);
  const unreadable = state.then(
    () => false,
    () => true,
  );
  const looked = await lookFirst(request, { config, state, voice, environment: runEnvironment(request, environment) });
  // Pulumi says best why a backend cannot be used, or makes it usable.
  return (await unreadable) ? undefined : looked;
}

async function makeFolders({ digests, failures, result, summary }: ReconcileRequest): Promise<void> {
  const files = [failures, result, summary].flatMap((file) => (file === undefined ? [] : [dirname(file)]));
  for (const folder of [...files, ...(digests === undefined ? [] : [digests])])
    await mkdir(folder, { recursive: true });
}

async function conclude(request: ReconcileRequest, { end, progress, left }: Ran, voice: Voice): Promise<ExitCode> {
  const run = left && "apps" in left ? left : undefined;
  const ended = {
    good: end.status === 0 && run !== undefined,
    ...(end.stopped !== undefined && { stopped: end.stopped }),
  };
  const code = exitCode(request, ended, progress, left);
  if (!run) {
    // What the program itself said was told already.
    if (progress.errors.length === 0) voice.say({ event: "output", text: end.output }, end.output);
    if (request.summary !== undefined)
      await writeSummary(request.summary, "## Mirror\n\n**The run broke off before it knew what to do; see its log.**");
  } else {
    await leave(request, run, progress, ended, voice);
  }
  voice.say({ event: "end", exitCode: code }, `${request.phase}: exit status ${code}`);
  return code;
}

/** Everything a run leaves: files for other runs, the result, the summary. */
async function leave(
  request: ReconcileRequest,
  run: RunFile,
  progress: Ran["progress"],
  ended: { readonly good: boolean; readonly stopped?: string },
  voice: Voice,
): Promise<void> {
  const own = run.dryRun ? [] : buildRecords(run, progress, ended);
  if (request.phase === "build" && request.digests !== undefined && !run.dryRun) {
    const platforms = request.platforms ?? [...new Set(run.building.map(({ platform }) => platform))];
    await writeBuildRecords(request.digests, platforms, own);
  }
  const records = request.phase === "publish" ? await handedRecords(request, voice) : own;
  const { verify } = run;
  const command = verify && { verify: (reference: string) => verificationCommands(reference, verify)[0] ?? "" };
  const results = run.results && completed(run.results, records, { phase: request.phase, ...command });
  const whole = request.keep === undefined && request.platforms === undefined;
  const { stack, catalogue } = request;
  const result = resultOf(run, results, {
    stack,
    good: ended.good,
    whole,
    ...(catalogue !== undefined && { catalogue }),
  });
  for (const entry of result.versions) voice.say({ event: "version", ...entry });
  if (results && (request.phase === "all" || request.phase === "publish") && request.failures !== undefined) {
    const before = await readFailureFile(request.failures);
    await writeFailureFile(request.failures, recordTries(before, tries(results, records, new Date())));
  }
  if (results) voice.text(summaryText(results));
  if (request.summary !== undefined) {
    const summary = results ? summaryMarkdown(results) : `## Mirror: plan\n\n${previewMarkdown(run.apps)}`;
    const link = catalogue === undefined ? "" : `\n\n[Everything that is published](${catalogue})`;
    await writeSummary(request.summary, `${summary}${link}`);
  }
  if (request.result !== undefined) await writeResult(request.result, result);
  if (request.outputs !== undefined && request.phase === "plan") {
    const platforms = [...new Set(run.building.map(({ platform }) => platform))].toSorted();
    const missing = result.versions.filter(({ complete }) => !complete).length;
    await writeStepOutputs(request.outputs, {
      work: progress.changes > 0,
      jobs: buildJobs(platforms, request.emulate),
      missing,
    });
  }
}

async function handedRecords({ digests = "" }: ReconcileRequest, voice: Voice): Promise<readonly BuildRecord[]> {
  const { records, malformed } = await readBuildRecords(digests);
  if (malformed > 0)
    voice.say(
      { event: "message", severity: "warning", text: `${malformed} build records do not parse` },
      `warning: ${malformed} build records do not parse`,
    );
  return records;
}
