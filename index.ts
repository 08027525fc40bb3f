import * as pulumi from "@pulumi/pulumi";
import { apps } from "./apps";
import { configure } from "./components/configure";
import { MirroredApp } from "./components/mirroredApp";
import { openEdges } from "./components/openEdges";
import { previousRun } from "./components/previousRun";
import { retainEverything } from "./components/retainEverything";
import { conclude, reportPlans } from "./components/runReport";
import { surveyApps } from "./components/survey/surveyApps";

/** config ─► discover ─► probe ─► plan ─► declare ─► attest ─► outputs */
export = async () => {
  retainEverything();
  const config = configure(apps);
  const edges = openEdges(config, apps);
  const plans = await surveyApps(config, await previousRun(), edges.survey);
  await reportPlans(plans);
  const mirrored = new Map<string, MirroredApp>();
  const versionEdges = edges.version((app, version) => mirrored.get(app)?.versions.get(version));
  for (const plan of plans) {
    mirrored.set(plan.specification.name, new MirroredApp(plan.specification.name, { plan, edges: versionEdges }));
  }
  return conclude(plans, mirrored, pulumi.runtime.isDryRun());
};
