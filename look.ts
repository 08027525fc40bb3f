import { missingIdentityToken } from "./components/attest/signing";
import { type Configuration, configure } from "./components/config/configuration";
import type { AppPlan } from "./components/decide/appPlan";
import { writesIndex } from "./components/decide/versionPlan";
import { type RecordsAtHand, recordsAtHand } from "./components/handover/recordFolder";
import type { Host } from "./components/wiring/host";
import type { AppSpecification } from "./components/model/appSpecification";
import type { Published } from "./components/model/published";
import { type Edges, openEdges } from "./components/wiring/openEdges";
import { alignWithState } from "./components/plan/alignWithState";
import { type AppSurvey, planApps } from "./components/plan/planApps";
import { previousRun } from "./components/probe/previousRun";
import { attestationGaps } from "./components/report/runFile";

/** All that is known and decided before anything is done. */
export interface Found {
  readonly config: Configuration;
  readonly edges: Edges;
  /** One per app, bases before the apps that build on them. */
  readonly plans: readonly AppPlan[];
  /** The record of the last run. */
  readonly published: Published;
  readonly records: Pick<RecordsAtHand, "handedOver" | "refused">;
}

/** What is being found out. Each app's plan comes by itself. */
export interface Looking extends Omit<Found, "plans" | "published"> {
  readonly surveys: readonly AppSurvey[];
  readonly published: Promise<Published>;
}

/**
 * config ─► discover ─► probe ─► plan. Changes nothing.
 * @throws ConfigError with a line for every mistake in what the run was given.
 */
export async function look(apps: readonly AppSpecification[], host: Host): Promise<Found> {
  return allFound(await startLooking(apps, host), host);
}

/** Reads what the run was given, and begins to look. @throws ConfigError as {@link look}. */
export async function startLooking(apps: readonly AppSpecification[], host: Host): Promise<Looking> {
  const config = configure(apps, host);
  const edges = openEdges(config, host);
  const records = await recordsAtHand(config, () => edges.run().project);
  // Read while upstream is asked already.
  const { stack, warn } = host;
  for (const problem of records.refused) await warn(problem);
  const context = { phase: config.run.phase, stack, state: edges.state.state, warn };
  const published = host.outputs().then((outputs) => previousRun(outputs, context));
  const surveys = planApps(config, published, edges.plan, records.images).map((survey) => ({
    ...survey,
    plan: survey.plan.then((plan) => alignWithState(plan, edges.state)),
  }));
  return { config, edges, surveys, published, records };
}

/** Waits until all apps have been looked at. @throws ConfigError when what the last run left is not for this one. */
export async function allFound(
  { surveys, published, ...known }: Looking,
  { environment, warn }: Pick<Host, "environment" | "warn">,
): Promise<Found> {
  const plans = await Promise.all(surveys.map(({ plan }) => plan));
  const unable = unableToSign(known.config, plans, environment);
  if (unable !== undefined) await warn(`nothing more will be published from here: ${unable}`);
  return { ...known, plans, published: await published };
}

/**
 * Why this machine cannot sign what the plans would have it sign; told before hours of builds that get no tag. In GitHub Actions other
 * jobs plan and build than the one that may sign.
 */
export function unableToSign(
  { attest, run }: Pick<Configuration, "attest" | "run">,
  plans: readonly AppPlan[],
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const elsewhere = run.phase === "build" || environment["GITHUB_ACTIONS"] === "true";
  if (attest.signing.mode !== "keyless" || elsewhere) return undefined;
  const signs = plans.some(
    (plan) =>
      plan.versions.some((version) => writesIndex(version.plan)) ||
      [...attestationGaps(plan).values()].some((gaps) => gaps.length > 0),
  );
  return signs ? missingIdentityToken(environment) : undefined;
}
