import { access, constants, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "../../components/config/problems";
import { reasonOf } from "../../components/model/reasonOf";
import { byPulumi, type PulumiContext, pulumiEnvironment, type Ran, runEnvironment } from "./byPulumi";
import { brokenOff, writeSummary } from "./githubFiles";
import { type KeptState, readKeptState } from "./keptState";
import { type FirstLook, lookFirst } from "./lookFirst";
import { leave } from "./leave";
import { looksOnly, type ReconcileRequest } from "./request";
import { readStackConfig } from "./stackConfig";
import { UsageError } from "./usageError";
import { type ExitCode, exitCode } from "./verdict";
import { readConfiguration } from "./workFolder";

/**
 * Does one part of the work: look, state, Pulumi, result, record of failures, summary, step outputs. Pulumi is started only when
 * there is something to do.
 * @returns the exit status. @throws UsageError when nothing can be done.
 */
export async function reconcile(request: ReconcileRequest, context: PulumiContext): Promise<ExitCode> {
  const config = await readConfiguration(request);
  await refuseMistakes(request, config);
  const { voice } = context;
  voice.say({ event: "start", stack: request.stack }, `${request.phase}: stack ${request.stack}`);
  await makeFolders(request);
  const ran = (await byLooking(request, config, context)) ?? (await byPulumi(request, config, context));
  return conclude(request, ran, context);
}

/** Mistakes that Pulumi would stumble over before it runs the program. @throws UsageError with a line for each. */
async function refuseMistakes({ project }: ReconcileRequest, config: string): Promise<void> {
  try {
    const { own } = readStackConfig(await readFile(join(project, "Pulumi.yaml"), "utf8"), config);
    if (own["namespace"] !== undefined) return;
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  throw new UsageError("multiarch-mirror:namespace is not set in the stack's configuration, and there is no default");
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
  // People see it in what was found, or at the end of a look that broke off.
  for (const error of errors) voice.say({ event: "message", severity: "error", text: error });
  const end = { status: errors.length === 0 ? 0 : 1, output: "" };
  const nothing = (): undefined => undefined;
  return { end, progress: { changes: work.registry ? 1 : 0, errors, build: nothing, refusal: nothing }, left };
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

/** @throws UsageError naming the option whose file or folder cannot be written, before hours of work end there. */
async function makeFolders({ digests, failures, result, summary, logs }: ReconcileRequest): Promise<void> {
  const places = {
    "--digests": digests,
    "--failures": failures,
    "--result": result,
    "--summary": summary,
    "--logs": logs,
  };
  for (const [option, path] of Object.entries(places)) {
    if (path === undefined) continue;
    const isFolder = path === digests || path === logs;
    try {
      await makeFolder(isFolder ? path : dirname(path));
      await access(isFolder ? path : dirname(path), constants.W_OK);
      const there = isFolder ? undefined : await stat(path).catch(() => undefined);
      if (there?.isDirectory()) throw new Error("it is a folder");
      if (there) await access(path, constants.W_OK);
    } catch (cause) {
      const kind = isFolder ? "folder" : "file";
      const message = `${option}: ${JSON.stringify(path)} cannot be written: ${reasonOf(cause)}; name a ${kind} that can`;
      throw new UsageError(message, { cause });
    }
  }
}

/** A folder and those it is in. Node's own way with `recursive` never ends where one that is there lets nobody make any, as `/proc`. */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path);
}

/** The program hears of options by its environment; people have written the options. */
const asEnvironment = /\bMIRROR_(APPS|PLATFORMS|KEEP|DIGESTS|RECORDS|FAILURES)\b/g;

async function conclude(
  request: ReconcileRequest,
  { end, progress, left }: Ran,
  { voice, environment }: PulumiContext,
): Promise<ExitCode> {
  const run = left && "apps" in left ? left : undefined;
  const ended = {
    good: end.status === 0 && run !== undefined,
    ...(end.stopped !== undefined && { stopped: end.stopped }),
  };
  let code = exitCode(request, ended, progress, left);
  if (!run) {
    const unsaid = end.stopped === undefined ? end.output : "what is not published yet is left to the next run";
    const said = progress.errors.length === 0 ? unsaid : progress.errors.join("\n");
    const text = said.replace(asEnvironment, (_, name: string) => `--${name.toLowerCase()}`);
    voice.say({ event: "output", text }, text);
    if (request.summary !== undefined) await writeSummary(request.summary, brokenOff(text));
  } else {
    const overdue = await leave(request, run, { progress, ended }, { voice, environment });
    for (const { name, why } of request.strict ? overdue : [])
      voice.say({ event: "overdue", name }, `overdue: ${name} ${why}`);
    if (request.strict && overdue.length > 0 && code !== 2) code = 1;
  }
  voice.say({ event: "end", exitCode: code }, `${request.phase}: exit status ${code}`);
  return code;
}
