import { type Configuration, configure } from "./config/configuration";
import type { AppPlan } from "./decide/appPlan";
import { checkout } from "./engine/checkout";
import { recordsAtHand, type RecordsAtHand } from "./handover/recordFolder";
import type { Host } from "./host";
import type { AppSpecification } from "./model/appSpecification";
import { runContext } from "./model/runContext";
import { projectSource } from "./system/projectSource";
import type { Published } from "./model/published";
import { type Edges, openEdges } from "./openEdges";
import { alignWithState } from "./plan/alignWithState";
import { planApps } from "./plan/planApps";
import { unableToSign } from "./report/unableToSign";
import { previousRun } from "./probe/previousRun";

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

/**
 * config ─► discover ─► probe ─► plan. Changes nothing.
 * @throws ConfigError with a line for every mistake in what the run was given.
 */
export async function look(apps: readonly AppSpecification[], host: Host): Promise<Found> {
  const config = configure(apps, host);
  const edges = openEdges(config, host);
  const { environment } = host;
  const records = await recordsAtHand(
    config,
    () => runContext(environment, edges.startedAt.toISOString(), projectSource(checkout)).project,
  );
  // Read while upstream is asked already.
  const { stack, warn } = host;
  const context = { phase: config.run.phase, stack, state: edges.state.state, warn };
  const recorded = host.outputs().then((outputs) => previousRun(outputs, context));
  const planned = await planApps(config, recorded, edges.plan, records.images);
  const plans = await alignWithState(planned, edges.state);
  const unable = unableToSign(config, plans, environment);
  if (unable !== undefined) await warn(`nothing more will be published from here: ${unable}`);
  return { config, edges, plans, published: await recorded, records };
}
