import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "../config/problems";
import type { AppPlan } from "../decide/appPlan";
import { keepOpenRecords, recordFolder } from "../handover/recordFolder";
import type { AppOutcome } from "../declare/appOutcome";
import type { MirroredApp } from "../declare/mirroredApp";
import type { Configuration } from "../config/configuration";
import { type Conclusion, conclusion, plansText, type RunPlace, type RunSoFar } from "./conclusion";
import { writeRunFile } from "./runFile";
import { summaryText } from "./summary";

/** The stack outputs. They are values, not Outputs of resources: a failed resource would otherwise take all of them with it. */
export type StackOutputs = {
  readonly [Name in keyof Conclusion["outputs"]]: pulumi.Output<Conclusion["outputs"][Name]>;
};

/**
 * Prints what was found, once, before anything is declared. Not in an update by hand: Pulumi shows it only at the end, when it is
 * not so any more.
 */
export async function reportPlans(
  plans: readonly AppPlan[],
  { report, phase }: Pick<Configuration["run"], "report" | "phase">,
): Promise<void> {
  if (pulumi.runtime.isDryRun() || report !== undefined) await pulumi.log.info(plansText(plans, phase));
}

/**
 * Waits for every app and makes the outputs. Failures are logged as one error when everything has settled, which makes the run
 * exit non-zero.
 */
export function conclude(
  run: RunSoFar,
  mirrored: ReadonlyMap<string, Pick<MirroredApp, "ended">>,
  place: RunPlace,
): StackOutputs {
  const outputs = finish(run, mirrored, place);
  return {
    published: pulumi.output(outputs.then(({ published }) => published)),
    missing: pulumi.output(outputs.then(({ missing }) => missing)),
    upstream: pulumi.output(outputs.then(({ upstream }) => upstream)),
    problems: pulumi.output(outputs.then(({ problems }) => problems)),
  };
}

async function finish(
  run: RunSoFar,
  mirrored: ReadonlyMap<string, Pick<MirroredApp, "ended">>,
  place: RunPlace,
): Promise<Conclusion["outputs"]> {
  const outcomes = await Promise.all([...mirrored].map(async ([name, app]) => [name, await app.ended] as const));
  await settleRecords(run, new Map(outcomes), place);
  const ended = conclusion(run, new Map(outcomes), place);
  const { report } = run.config.run;
  if (report !== undefined) await writeRunFile(report, ended.run);
  else if (ended.run.results) await pulumi.log.info(summaryText(ended.run.results));
  if (ended.failure !== "") await reportFailure(ended.failure);
  return ended.outputs;
}

/** Keeps the build records of what got no tag, and no others. A version still waits for its tag when it failed, or waits. */
async function settleRecords(
  { config, records }: RunSoFar,
  outcomes: ReadonlyMap<string, AppOutcome>,
  { dryRun }: RunPlace,
): Promise<void> {
  const { apps, phase } = config.run;
  if (dryRun || phase === "build") return;
  await keepOpenRecords(recordFolder(config), records.handedOver, (app, version) => {
    const outcome = outcomes.get(app)?.outcomes[version];
    const isSeen = outcomes.has(app) && apps?.includes(app) !== false;
    return isSeen ? outcome?.state === "failed" || outcome?.state === "waiting" : undefined;
  });
}

/** A logged error alone fails neither a preview nor a run, whatever Pulumi's documentation says; the outputs are recorded all the same. */
async function reportFailure(failure: string): Promise<void> {
  await pulumi.log.error(failure);
  process.exitCode = alreadyReported;
}

/** Exit status by which a program tells Pulumi that it failed and has said why (`nodeJSProcessExitedAfterLoggingUserActionableMessage`). */
const alreadyReported = 32;

/**
 * Reads what the run is given. Mistakes in it are left in the run file as well: how Pulumi ends does not tell them from
 * failures.
 * @throws RunError, which Pulumi prints without a stack trace, in the place of a ConfigError.
 */
export async function orLeaveMistakes<T>(
  { environment }: { readonly environment: NodeJS.ProcessEnv },
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const path = environment["MIRROR_REPORT"];
    if (path) await writeRunFile(path, { mistakes: error.problems });
    throw new pulumi.RunError(error.message);
  }
}
