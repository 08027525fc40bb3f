import { apps } from "./apps";
import { configure } from "./components/configure";
import { skipDebugLog } from "./components/debugLog";
import { readHandedOver } from "./components/handover/readHandedOver";
import { keepProvider } from "./components/keepProvider";
import { MirroredApp } from "./components/mirroredApp";
import { openEdges } from "./components/openEdges";
import { previousRun } from "./components/previousRun";
import { skipLibraryStacks } from "./components/libraryStacks";
import { readableStacks } from "./components/readableStacks";
import { retainEverything } from "./components/retainEverything";
import { conclude, reportPlans } from "./components/runReport";
import { alignWithState } from "./components/survey/alignWithState";
import { surveyApps } from "./components/survey/surveyApps";

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
  const surveyed = await surveyApps(config, recorded, edges.survey, handedOver);
  const plans = await alignWithState(surveyed, edges.state);
  await reportPlans(plans);
  const mirrored = new Map<string, MirroredApp>();
  const versionEdges = edges.version((app, version) => mirrored.get(app)?.versions.get(version));
  for (const plan of plans) {
    const { name } = plan.specification;
    mirrored.set(name, new MirroredApp(name, { plan, edges: versionEdges }));
  }
  return conclude(config, plans, mirrored, await recorded);
};
