import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { recordTries } from "../../components/decide/backoff";
import { readFailureFile, writeFailureFile } from "../../components/report/failureFile";
import { summaryMarkdown, summaryText } from "../../components/report/summary";
import type { Mistakes, RunFile } from "../../components/report/runFile";
import { buildJobs } from "./buildJobs";
import { type BuildRecord, readBuildRecords, writeBuildRecords } from "./buildRecords";
import type { EngineEvent } from "./engineEvents";
import { writeStepOutputs, writeSummary } from "./githubFiles";
import { Progress } from "./progress";
import { type PulumiEnd, runPulumi } from "./pulumiCli";
import { readRunFile } from "./readRunFile";
import type { ReconcileRequest } from "./request";
import { resultOf, writeResult } from "./result";
import { UsageError } from "./usageError";
import { buildRecords, completed, type ExitCode, exitCode, tries } from "./verdict";
import type { Voice } from "./voice";
import { releaseDeadLocks } from "./releaseDeadLocks";
import { makeWorkFolder, type WorkFolder } from "./workFolder";
import { verificationCommands } from "../../components/attest/verifyCommands";
import { previewMarkdown } from "../../components/report/preview";

/** What reconciling needs besides the request. */
export interface ReconcileContext {
  /** The Pulumi CLI. */
  readonly pulumi: string;
  /** Environment of this process. */
  readonly environment: NodeJS.ProcessEnv;
  readonly voice: Voice;
}

/**
 * Does one part of the work: state, Pulumi, result, record of failures, summary, step outputs.
 * @returns the exit status. @throws UsageError when nothing can be done.
 */
export async function reconcile(request: ReconcileRequest, context: ReconcileContext): Promise<ExitCode> {
  const work = await makeWorkFolder(request);
  try {
    const { voice } = context;
    voice.say({ event: "start", stack: request.stack }, `${request.phase}: stack ${request.stack}`);
    await makeFolders(request);
    const environment = pulumiEnvironment(request, work, context.environment);
    // A run that was killed must not keep the next one waiting for somebody to unlock the state.
    const released = await releaseDeadLocks(work.state);
    for (const pid of released)
      voice.say({ event: "unlocked", pid }, `released the lock of process ${pid}, which is dead`);
    await makeStack(request, work, { ...context, environment });
    const progress = new Progress();
    const end = await runProgram(request, work, { ...context, environment }, progress);
    return await conclude(request, end, progress, await readRunFile(work.report), voice);
  } finally {
    await work.remove();
  }
}

async function makeFolders({ digests, failures, result, summary }: ReconcileRequest): Promise<void> {
  const files = [failures, result, summary].flatMap((file) => (file === undefined ? [] : [dirname(file)]));
  for (const folder of [...files, ...(digests === undefined ? [] : [digests])])
    await mkdir(folder, { recursive: true });
}

function pulumiEnvironment(
  request: ReconcileRequest,
  { state, report }: WorkFolder,
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { apps, platforms, digests, failures, phase } = request;
  const knowsPassphrase = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"].some(
    (name) => environment[name] !== undefined,
  );
  return {
    ...environment,
    PULUMI_BACKEND_URL: state,
    // A state that is thrown away holds no secret; its passphrase only has to be there.
    ...(!knowsPassphrase && request.state === undefined && { PULUMI_CONFIG_PASSPHRASE: "" }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // A resource whose inputs are those in the state has nothing to do here, and half the time of a run would go into hearing
    // that from the provider: docker-build works out its whole schema again for each such question.
    PULUMI_ENABLE_LEGACY_DIFF: "true",
    // Uncovers --event-log.
    PULUMI_DEBUG_COMMANDS: "true",
    // Without an owner the `github` provider asks whose its token is, which GitHub does not tell the token of a workflow.
    ...(!environment["GITHUB_OWNER"] && { GITHUB_OWNER: environment["GITHUB_REPOSITORY_OWNER"] }),
    MIRROR_PHASE: phase === "plan" ? "all" : phase,
    MIRROR_PLATFORMS: platforms?.join(",") ?? "",
    MIRROR_APPS: apps?.join(",") ?? "",
    MIRROR_DIGESTS: phase === "build" || phase === "publish" ? (digests ?? "") : "",
    MIRROR_REPORT: report,
    MIRROR_FAILURES: failures ?? "",
    MIRROR_RETRY: request.retry ? "1" : "",
  };
}

/** Makes the stack unless the backend has it; away from the project, whose configuration is not to be touched. */
async function makeStack({ stack }: ReconcileRequest, work: WorkFolder, context: ReconcileContext): Promise<void> {
  const run = (args: readonly string[]): Promise<PulumiEnd> =>
    runPulumi({
      program: context.pulumi,
      args: [...args, "--non-interactive", "--color", "never"],
      directory: work.folder,
      environment: context.environment,
      timeLimitMs: 120_000,
    });
  const found = await run(["stack", "--stack", stack, "--show-name"]);
  if (found.status === 0) return;
  const made = await run(["stack", "init", stack, "--no-select"]);
  if (made.status === 0) return;
  throw new UsageError(`stack ${JSON.stringify(stack)} can neither be found nor made:\n${found.output}${made.output}`);
}

async function runProgram(
  request: ReconcileRequest,
  work: WorkFolder,
  { pulumi, environment, voice }: ReconcileContext,
  progress: Progress,
): Promise<PulumiEnd> {
  const looking = request.dryRun || request.phase === "plan";
  const how = looking ? ["preview"] : ["up", "--yes", "--skip-preview", "--continue-on-error", "--suppress-outputs"];
  const options = ["--stack", request.stack, "--config-file", work.configFile, "--parallel", `${request.parallel}`];
  const end = await runPulumi({
    program: pulumi,
    args: [...how, ...options, "--non-interactive", "--color", "never", "--event-log", work.events],
    directory: request.project,
    environment,
    events: work.events,
    onEvent: (event) => {
      progress.observe(event);
      if (!request.verbose) announce(event, progress, looking, voice);
    },
    ...(request.verbose && { onOutput: (text: string) => voice.text(text) }),
    ...(request.timeLimitMs !== undefined && { timeLimitMs: request.timeLimitMs }),
  });
  if (end.stopped !== undefined) voice.say({ event: "stopped", reason: end.stopped }, `stopped: ${end.stopped}`);
  return end;
}

const words: Readonly<Record<string, string>> = {
  "docker-build:index:Image": "image",
  "docker-build:index:Index": "tag",
  "command:local:Command": "attestation",
};

function announce(event: EngineEvent, progress: Progress, looking: boolean, voice: Voice): void {
  if (event.kind === "output") return;
  if (event.kind === "message") {
    // Where a plugin was found says nothing about the mirror.
    if (/^using pulumi-\S+ from \$PATH at /.test(event.text)) return;
    // What the program says is for people; of what resources say only that something went wrong.
    const told = ["", "pulumi:pulumi:Stack"].includes(event.type)
      ? event.severity !== "debug"
      : event.severity === "error";
    if (told) voice.say({ event: "message", severity: event.severity, text: event.text }, event.text);
    return;
  }
  const { kind, operation, type, name } = event;
  const what = words[type];
  if (what === undefined || looking || operation === "same" || operation === "refresh" || operation === "read") return;
  const build = progress.build(name);
  const seconds = kind === "done" && build ? build.seconds : undefined;
  const after = seconds === undefined ? "" : ` in ${seconds} s`;
  voice.say(
    { event: kind, kind: what, resource: name, ...(seconds !== undefined && { seconds }) },
    `${kind === "failed" ? "FAILED" : kind} ${what} ${name}${after}`,
  );
  const printed = kind === "failed" ? (build?.output ?? []) : [];
  if (printed.length > 0)
    voice.say(
      { event: "log", resource: name, lines: printed },
      `what the build of ${name} printed last:`,
      ...printed.map((line) => `  | ${line}`),
    );
}

async function conclude(
  request: ReconcileRequest,
  end: PulumiEnd,
  progress: Progress,
  left: RunFile | Mistakes | undefined,
  voice: Voice,
): Promise<ExitCode> {
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
  progress: Progress,
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
  const result = resultOf(run, results, { stack: request.stack, good: ended.good, whole });
  for (const entry of result.versions) voice.say({ event: "version", ...entry });
  if (results && (request.phase === "all" || request.phase === "publish") && request.failures !== undefined) {
    const before = await readFailureFile(request.failures);
    await writeFailureFile(request.failures, recordTries(before, tries(results, records, new Date())));
  }
  if (results) voice.text(summaryText(results));
  if (request.summary !== undefined)
    await writeSummary(
      request.summary,
      results ? summaryMarkdown(results) : `## Mirror: plan\n\n${previewMarkdown(run.apps)}`,
    );
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
