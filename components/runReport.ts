import * as pulumi from "@pulumi/pulumi";
import type { AppOutcome, MirroredApp } from "./mirroredApp";
import type { AppPlan } from "./plan/appPlan";
import { planReport } from "./report/planReport";
import { previewText } from "./report/previewText";
import type { Published } from "./plan/published";

/** The stack outputs. */
export interface StackOutputs {
  /** What is published, and what the next run has to declare again. */
  readonly published: pulumi.Output<Published>;
  /** `app version` of everything wanted that is not complete after this run. */
  readonly missing: pulumi.Output<readonly string[]>;
  /** One line for everything that went wrong. */
  readonly problems: pulumi.Output<readonly string[]>;
}

/** Prints what was found, once, before anything is declared. Problems of a preview are errors: it exits non-zero. */
export async function reportPlans(plans: readonly AppPlan[]): Promise<void> {
  const reports = plans.map((plan) => planReport(plan, attestationGaps(plan)));
  await pulumi.log.info(previewText(reports));
}

function attestationGaps({ versions }: AppPlan): ReadonlyMap<string, readonly string[]> {
  return new Map(versions.map(({ version, attestation }) => [version, attestation?.gaps ?? []]));
}

/**
 * Waits for every app and makes the outputs. They are values, not Outputs of resources: a failed resource would otherwise take
 * all of them with it. Failures are logged as errors when everything has settled, which makes the run exit non-zero.
 */
export function conclude(
  plans: readonly AppPlan[],
  mirrored: ReadonlyMap<string, MirroredApp>,
  dryRun: boolean,
): StackOutputs {
  const ended = Promise.all([...mirrored].map(async ([name, app]) => [name, await app.ended] as const));
  const outcomes = ended.then(async (apps) => {
    const problems = apps.flatMap(([name, { failures }]) => failures.map((failure) => `${name}: ${failure}`));
    if (problems.length > 0) await pulumi.log.error(problems.join("\n"));
    return { apps, problems };
  });
  return {
    published: pulumi.output(
      outcomes.then(({ apps }) => Object.fromEntries(apps.map(([name, { published }]) => [name, published]))),
    ),
    missing: pulumi.output(outcomes.then(({ apps }) => apps.flatMap(([name, outcome]) => missingOf(name, outcome)))),
    problems: pulumi.output(outcomes.then(({ problems }) => problems)),
  };
}

function missingOf(name: string, { outcomes }: AppOutcome): readonly string[] {
  return Object.entries(outcomes).flatMap(([version, outcome]) =>
    outcome.state === "published" ? [] : [`${name} ${version}`],
  );
}
