import { apps } from "./apps";
import { configure } from "./components/config/configuration";
import { openEdges } from "./components/openEdges";
import { previousRun } from "./components/probe/previousRun";
import { declareApps } from "./components/declare/declareApps";
import { everyResource } from "./components/declare/everyResource";
import { conclude, reportPlans } from "./components/report/conclude";
import { orLeaveMistakes } from "./components/report/runFile";
import { alignWithState } from "./components/plan/alignWithState";
import { planApps } from "./components/plan/planApps";
import { readHandedOver } from "./components/handover/recordFolder";

/** config ─► discover ─► probe ─► plan ─► declare ─► attest ─► outputs */
export = async () => {
  const config = await orLeaveMistakes(() => configure(apps));
  everyResource();
  const edges = openEdges(config);
  const handedOver = await orLeaveMistakes(() => readHandedOver(config));
  // Read while upstream is asked already.
  const recorded = orLeaveMistakes(() => previousRun(config.run.phase, edges.state.state));
  const planned = await planApps(config, recorded, edges.plan, handedOver.images);
  const plans = await alignWithState(planned, edges.state);
  await reportPlans(plans, config.run);
  const mirrored = declareApps(plans, edges);
  return conclude(config, plans, mirrored, { published: await recorded, refused: handedOver.refused });
};
