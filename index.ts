import { apps } from "./apps";
import { declareApps, everyResource } from "./components/declare/declareApps";
import { allFound, startLooking } from "./look";
import { openServices } from "./components/wiring/openServices";
import { pulumiHost } from "./components/wiring/pulumiHost";
import { conclude, orLeaveMistakes, reportPlans } from "./components/report/conclude";

/** config ─► discover ─► probe ─► plan ─► declare ─► attest ─► outputs; the first half is `look`. */
export = async () => {
  const host = pulumiHost();
  const looking = await orLeaveMistakes(host, () => startLooking(apps, host));
  everyResource();
  // Each app as soon as it has been looked at, however long another takes.
  const declaring = declareApps(looking.surveys, openServices(looking.config, looking.edges, host));
  declaring.catch(() => "the plan it rejects with is awaited first");
  const found = await orLeaveMistakes(host, () => allFound(looking, host));
  await reportPlans(found.plans, found.config.run);
  return conclude(found, await declaring, host);
};
