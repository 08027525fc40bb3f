import * as pulumi from "@pulumi/pulumi";
import type { Configuration } from "../config/configuration";
import type { HandedOverImage } from "../handover/digestFile";
import { writeDigestFiles } from "../handover/digestFolder";
import type { AppOutcome, MirroredApp } from "../declare/mirroredApp";
import type { AppPlan } from "../decide/appPlan";
import { platformEntries } from "../model/platform";
import type { Published } from "../model/published";
import { planReport } from "./planReport";
import { previewText } from "./previewText";
import { verifyHint } from "../attest/verifyCommands";
import { attestationGaps, runFile, writeRunFile } from "./runFile";
import { safeText } from "../model/safeText";

/** The stack outputs. */
export interface StackOutputs {
  /** What is published, and what the next run has to declare again. */
  readonly published: pulumi.Output<Published>;
  /** `app version` of everything wanted that is not complete after this run. */
  readonly missing: pulumi.Output<readonly string[]>;
  /** One line for everything that went wrong. */
  readonly problems: pulumi.Output<readonly string[]>;
}

/** Prints what was found, once, before anything is declared. */
export async function reportPlans(plans: readonly AppPlan[]): Promise<void> {
  await pulumi.log.info(previewText(plans.map((plan) => planReport(plan, attestationGaps(plan)))));
}

/**
 * Waits for every app and makes the outputs. They are values, not Outputs of resources: a failed resource would otherwise take
 * all of them with it. Failures are logged as one error when everything has settled, which makes the run exit non-zero.
 * @param published the record of the last run, which a build run passes on unchanged.
 */
export function conclude(
  config: Configuration,
  plans: readonly AppPlan[],
  mirrored: ReadonlyMap<string, Pick<MirroredApp, "ended">>,
  published: Published,
): StackOutputs {
  const done = finish(config, plans, mirrored);
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
): Promise<Finished> {
  const outcomes = new Map(
    await Promise.all([...mirrored].map(async ([name, app]) => [name, await app.ended] as const)),
  );
  const problems = [...outcomes].flatMap(([name, { failures }]) => failures.map((failure) => `${name}: ${failure}`));
  const dryRun = pulumi.runtime.isDryRun();
  if (!dryRun && run.phase === "build" && run.digests !== undefined) {
    const platforms = run.platforms ?? [...new Set(plans.flatMap((plan) => plan.platforms))];
    await writeDigestFiles(
      run.digests,
      platforms,
      plans.flatMap((plan) => imagesOf(plan, outcomes)),
    );
  }
  if (run.report !== undefined) {
    const verify = verifyHint(attest, process.env);
    await writeRunFile(run.report, runFile(plans, verify, dryRun ? undefined : outcomes));
  }
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

function imagesOf(plan: AppPlan, outcomes: ReadonlyMap<string, AppOutcome>): readonly HandedOverImage[] {
  const { repository, specification, versions } = plan;
  return versions.flatMap(({ version, release }) => {
    const outcome = outcomes.get(specification.name)?.outcomes[version];
    if (outcome?.state !== "built" || !release) return [];
    const images = platformEntries(outcome.images);
    return images.map(([platform, digest]) => ({
      app: specification.name,
      version,
      commit: release.commit,
      platform,
      repository,
      digest,
    }));
  });
}

function missingOf(name: string, { outcomes }: AppOutcome): readonly string[] {
  return Object.entries(outcomes).flatMap(([version, { state }]) =>
    state === "published" || state === "built" ? [] : [`${name} ${version}`],
  );
}
