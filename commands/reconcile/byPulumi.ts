import type { Mistakes, RunFile } from "../../components/report/runFile";
import { announce, Ticker } from "./announce";
import { BuildLogFiles } from "./buildLogFiles";
import type { FoundPulumi } from "./findPulumi";
import { Progress } from "./progress";
import { type PulumiEnd, runPulumi } from "./pulumiCli";
import { readRunFile } from "./readRunFile";
import { releaseDeadLocks } from "./releaseDeadLocks";
import { looksOnly, type ReconcileRequest } from "./request";
import { UsageError } from "./usageError";
import type { Voice } from "./voice";
import { makeWorkFolder, type WorkFolder } from "./workFolder";

/** What running Pulumi needs besides the request. */
export interface PulumiContext {
  /** Finds the Pulumi CLI. Asked only when it is needed. */
  readonly pulumi: () => Promise<FoundPulumi>;
  /** Environment of this process. */
  readonly environment: NodeJS.ProcessEnv;
  readonly voice: Voice;
}

/** How a run went. */
export interface Ran {
  readonly end: Pick<PulumiEnd, "status" | "output" | "stopped">;
  /** What was seen of it. */
  readonly progress: Pick<Progress, "changes" | "errors" | "build" | "refusal">;
  /** What the program left; undefined: it broke off before that. */
  readonly left: RunFile | Mistakes | undefined;
}

/** Looks and does what there is to do, by Pulumi. @throws UsageError when the backend gives no such stack. */
export async function byPulumi(
  request: ReconcileRequest,
  config: string,
  { pulumi: find, voice, environment: given }: PulumiContext,
): Promise<Ran> {
  const { program: pulumi, path } = await find();
  const work = await makeWorkFolder(request, config);
  try {
    const environment = pulumiEnvironment(request, work, { ...given, PATH: path });
    // A run that was killed must not keep the next one waiting for somebody to unlock the state.
    const released = await releaseDeadLocks(work.state);
    for (const pid of released)
      voice.say({ event: "unlocked", pid }, `released the lock of process ${pid}, which is dead`);
    const cli = { pulumi, environment, voice };
    await makeStack(request, work, cli);
    const progress = new Progress();
    const end = await runProgram(request, work, cli, progress);
    return { end, progress, left: readRunFile(work.report) };
  } finally {
    await work.remove();
  }
}

/** What the program is told about the run. */
export function runEnvironment(
  { apps, platforms, keep, digests, records, failures, phase, retry }: ReconcileRequest,
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  return {
    ...environment,
    MIRROR_PHASE: phase === "plan" ? "all" : phase,
    MIRROR_PLATFORMS: platforms?.join(",") ?? "",
    MIRROR_APPS: apps?.join(",") ?? "",
    MIRROR_KEEP: keep === undefined ? "" : `${keep}`,
    MIRROR_DIGESTS: phase === "build" || phase === "publish" ? (digests ?? "") : "",
    MIRROR_RECORDS: records ?? "",
    MIRROR_FAILURES: failures ?? "",
    MIRROR_RETRY: retry ? "1" : "",
  };
}

/** What Pulumi and the program are told. */
export function pulumiEnvironment(
  request: ReconcileRequest,
  { state, report }: Pick<WorkFolder, "state"> & Partial<WorkFolder>,
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const knowsPassphrase = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"].some(
    (name) => environment[name] !== undefined,
  );
  return {
    ...runEnvironment(request, environment),
    PULUMI_BACKEND_URL: state,
    // A state that is thrown away holds no secret; its passphrase only has to be there.
    ...(!knowsPassphrase && request.state === undefined && { PULUMI_CONFIG_PASSPHRASE: "" }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // A resource whose inputs are those in the state has nothing to do here, and half the time of a run would go into hearing
    // that from the provider: docker-build works out its whole schema again for each such question.
    PULUMI_ENABLE_LEGACY_DIFF: "true",
    // Keeps the docker-build provider from parsing Dockerfiles itself: what it refuses ends the run of every app, and what a
    // newer builder knows it refuses. It asks for nothing else of this variable, and no build is told.
    BUILDKIT_SYNTAX: "left to the builder",
    // Uncovers --event-log.
    PULUMI_DEBUG_COMMANDS: "true",
    // Without an owner the `github` provider asks whose its token is, which GitHub does not tell the token of a workflow.
    ...(!environment["GITHUB_OWNER"] && { GITHUB_OWNER: environment["GITHUB_REPOSITORY_OWNER"] }),
    MIRROR_REPORT: report ?? "",
  };
}

/** The Pulumi CLI and what it runs in. */
interface Cli {
  readonly pulumi: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly voice: Voice;
}

/** Makes the stack unless the backend has it; away from the project, whose configuration is not to be touched. */
async function makeStack({ stack }: ReconcileRequest, work: WorkFolder, context: Cli): Promise<void> {
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
  { pulumi, environment, voice }: Cli,
  progress: Progress,
): Promise<PulumiEnd> {
  const looking = looksOnly(request);
  const how = looking ? ["preview"] : ["up", "--yes", "--skip-preview", "--continue-on-error", "--suppress-outputs"];
  const options = ["--stack", request.stack, "--config-file", work.configFile, "--parallel", `${request.parallel}`];
  const logs = new BuildLogFiles(request.logs, (text) =>
    voice.say({ event: "message", severity: "warning", text }, `warning: ${text}`),
  );
  const ticker = new Ticker(progress, voice);
  const end = await runPulumi({
    program: pulumi,
    args: [...how, ...options, "--non-interactive", "--color", "never", "--event-log", work.events],
    directory: request.project,
    environment,
    events: work.events,
    onEvent: (event) => {
      progress.observe(event);
      logs.observe(event);
      if (!request.verbose) announce(event, progress, looking, voice);
    },
    ...(request.verbose && { onOutput: (text: string) => voice.text(text) }),
    ...(request.timeLimitMs !== undefined && { timeLimitMs: request.timeLimitMs }),
  }).finally(() => ticker.stop());
  await logs.end();
  if (end.stopped !== undefined) voice.say({ event: "stopped", reason: end.stopped }, `stopped: ${end.stopped}`);
  return end;
}
