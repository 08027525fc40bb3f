import * as pulumi from "@pulumi/pulumi";
import type { Configuration } from "../config/configuration";
import type { AppOutcome, MirroredApp } from "../declare/mirroredApp";
import type { AppPlan } from "../decide/appPlan";
import type { Published } from "../model/published";
import { planReport } from "./planReport";
import { previewText } from "./preview";
import { verifyHint } from "../attest/verifyCommands";
import { attestationGaps, runFile, writeRunFile } from "./runFile";
import { safeText } from "../model/safeText";
import { summaryText } from "./summary";

/** The stack outputs. */
export interface StackOutputs {
  /** What is published, and what the next run has to declare again. */
  readonly published: pulumi.Output<Published>;
  /** `app version` of everything wanted that is not complete after this run. */
  readonly missing: pulumi.Output<readonly string[]>;
  /** One line for everything that went wrong. */
  readonly problems: pulumi.Output<readonly string[]>;
}

/**
 * Prints what was found, once, before anything is declared. Not in an update by hand: Pulumi shows it only at the end, when it is
 * not so any more.
 */
export async function reportPlans(plans: readonly AppPlan[], { report }: Configuration["run"]): Promise<void> {
  if (!pulumi.runtime.isDryRun() && report === undefined) return;
  const reports = plans.filter(({ frozen }) => !frozen).map((plan) => planReport(plan, attestationGaps(plan)));
  const others = plans.flatMap(({ frozen, specification }) => (frozen ? [specification.name] : []));
  const left = others.length === 0 ? "" : `\n\nNot part of this run: ${others.join(", ")}`;
  await pulumi.log.info(`${previewText(reports)}${left}`);
}

/** What was known before anything was looked at. */
export interface Before {
  /** The record of the last run, which a build run passes on unchanged. */
  readonly published: Published;
  /** A line for each build record that was refused. */
  readonly refused: readonly string[];
}

/**
 * Waits for every app and makes the outputs. They are values, not Outputs of resources: a failed resource would otherwise take
 * all of them with it. Failures are logged as one error when everything has settled, which makes the run exit non-zero.
 */
export function conclude(
  config: Configuration,
  plans: readonly AppPlan[],
  mirrored: ReadonlyMap<string, Pick<MirroredApp, "ended">>,
  { published, refused }: Before,
): StackOutputs {
  const done = finish(config, plans, mirrored, refused);
  const record = (outcomes: ReadonlyMap<string, AppOutcome>): Published =>
    config.run.phase === "build"
      ? published
      : Object.fromEntries([...outcomes].map(([name, outcome]) => [name, outcome.published]));
  return {
    published: pulumi.output(done.then(({ outcomes }) => record(outcomes))),
    missing: pulumi.output(
      done.then(({ outcomes }) => [...outcomes].flatMap(([name, outcome]) => missingOf(name, outcome))),
    ),
    problems: pulumi.output(done.then(({ problems }) => problems)),
  };
}

interface Finished {
  readonly outcomes: ReadonlyMap<string, AppOutcome>;
  readonly problems: readonly string[];
}

async function finish(
  { run, attest }: Configuration,
  plans: readonly AppPlan[],
  mirrored: ReadonlyMap<string, Pick<MirroredApp, "ended">>,
  refused: readonly string[],
): Promise<Finished> {
  const outcomes = new Map(
    await Promise.all([...mirrored].map(async ([name, app]) => [name, await app.ended] as const)),
  );
  const failures = [...outcomes].flatMap(([name, app]) => app.failures.map((failure) => `${name}: ${failure}`));
  const problems = [...refused, ...failures];
  const dryRun = pulumi.runtime.isDryRun();
  const file = runFile(plans, verifyHint(attest, process.env), dryRun ? undefined : outcomes);
  if (run.report !== undefined) await writeRunFile(run.report, file);
  else if (file.results) await pulumi.log.info(summaryText(file.results));
  if (problems.length > 0) await reportProblems(problems);
  return { outcomes, problems };
}

/** A logged error alone fails neither a preview nor a run, whatever Pulumi's documentation says; the outputs are recorded all the same. */
async function reportProblems(problems: readonly string[]): Promise<void> {
  await pulumi.log.error(problems.map((problem) => safeText(problem, 2000)).join("\n"));
  process.exitCode = alreadyReported;
}

/** Exit status by which a program tells Pulumi that it failed and has said why (`nodeJSProcessExitedAfterLoggingUserActionableMessage`). */
const alreadyReported = 32;

function missingOf(name: string, { outcomes }: AppOutcome): readonly string[] {
  return Object.entries(outcomes).flatMap(([version, { state }]) =>
    state === "published" || state === "built" ? [] : [`${name} ${version}`],
  );
}
