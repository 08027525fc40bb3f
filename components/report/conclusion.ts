import { verifyHint } from "../attest/verifyCommands";
import type { Configuration } from "../config/configuration";
import type { Phase } from "../config/runOptions";
import type { AppOutcome } from "../declare/appOutcome";
import type { AppPlan } from "../decide/appPlan";
import type { RecordsAtHand } from "../handover/recordFolder";
import type { Published } from "../model/published";
import { safeText } from "../model/safeText";
import { planReport } from "./planReport";
import { previewText } from "./preview";
import { attestationGaps, type RunFile, runFile } from "./runFile";

/** What was found, for people to read. Of a build run no floating tags: it moves none. */
export function plansText(plans: readonly AppPlan[], phase: Phase): string {
  const reports = plans
    .filter(({ frozen }) => !frozen)
    .map((plan) => ({ ...planReport(plan, attestationGaps(plan)), ...(phase === "build" && { floating: [] }) }));
  const others = plans.flatMap(({ frozen, specification }) => (frozen ? [specification.name] : []));
  return `${previewText(reports)}${others.length === 0 ? "" : `\n\nNot part of this run: ${others.join(", ")}`}`;
}

/** What a run was, before its end. */
export interface RunSoFar {
  readonly config: Configuration;
  readonly plans: readonly AppPlan[];
  /** The record of the last run, which a build run passes on unchanged. */
  readonly published: Published;
  readonly records: Pick<RecordsAtHand, "handedOver" | "refused">;
}

/** Where a run goes on. */
export interface RunPlace {
  readonly environment: NodeJS.ProcessEnv;
  readonly dryRun: boolean;
}

/** What a run leaves when it has ended. */
export interface Conclusion {
  /** The stack outputs. */
  readonly outputs: {
    /** What is published, and what the next run has to declare again. */
    readonly published: Published;
    /** `app version` of everything wanted that is not complete after this run. */
    readonly missing: readonly string[];
    /** App → what upstream did about the platforms of its own image. Apps without a line are left out. */
    readonly upstream: Readonly<Record<string, readonly string[]>>;
    /** One line for everything that went wrong. */
    readonly problems: readonly string[];
  };
  readonly run: RunFile;
  /** All that went wrong, as one text to print; empty: nothing. */
  readonly failure: string;
}

/** Puts together what is left of a run whose apps ended so, by name. */
export function conclusion(
  { config, plans, published, records }: RunSoFar,
  outcomes: ReadonlyMap<string, AppOutcome>,
  place: RunPlace,
): Conclusion {
  const failures = [...outcomes].flatMap(([name, app]) => app.failures.map((failure) => `${name}: ${failure}`));
  // Outputs are printed as they are.
  const problems = [...records.refused, ...failures].map((problem) => safeText(problem, 2000));
  return {
    outputs: {
      published:
        config.run.phase === "build"
          ? published
          : Object.fromEntries([...outcomes].map(([name, outcome]) => [name, outcome.published])),
      missing: [...outcomes].flatMap(([name, outcome]) => missingOf(name, outcome)),
      upstream: Object.fromEntries(
        plans.flatMap(({ specification, official }) =>
          official && official.changes.length > 0 ? [[specification.name, official.changes] as const] : [],
        ),
      ),
      problems,
    },
    run: runFile(plans, verifyHint(config.attest, place.environment), place.dryRun ? undefined : outcomes),
    failure: problems.join("\n"),
  };
}

function missingOf(name: string, { outcomes }: AppOutcome): readonly string[] {
  return Object.entries(outcomes).flatMap(([version, { state }]) =>
    state === "published" || state === "built" ? [] : [`${name} ${version}`],
  );
}
