import { apps } from "./apps";
import { configure } from "./components/config/configuration";
import { skipDebugLog } from "./components/engine/debugLog";
import { MirroredApp } from "./components/declare/mirroredApp";
import { openEdges } from "./components/openEdges";
import { previousRun } from "./components/probe/previousRun";
import { skipLibraryStacks, readableStacks } from "./components/engine/stackTraces";
import { retainEverything, keepProvider } from "./components/declare/everyResource";
import { conclude, reportPlans } from "./components/report/conclude";
import { alignWithState } from "./components/plan/alignWithState";
import { planApps } from "./components/plan/planApps";
import { readHandedOver } from "./components/handover/digestFolder";

/** config ─► discover ─► probe ─► plan ─► declare ─► attest ─► outputs */
export = async () => {
  readableStacks();
  skipLibraryStacks();
  skipDebugLog();
  retainEverything();
  const config = configure(apps);
  keepProvider();
  const edges = openEdges(config);
  const handedOver = await readHandedOver(config);
  // Read while upstream is asked already.
  const recorded = previousRun();
  const planned = await planApps(config, recorded, edges.plan, handedOver);
  const plans = await alignWithState(planned, edges.state);
  await reportPlans(plans);
  const mirrored = new Map<string, MirroredApp>();
  const services = edges.services((app, version) => mirrored.get(app)?.versions.get(version));
  for (const plan of plans) {
    const { name } = plan.specification;
    mirrored.set(name, new MirroredApp(name, { plan, services }));
  }
  return conclude(config, plans, mirrored, await recorded);
};
