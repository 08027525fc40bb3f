import { apps } from "./apps";
import { look } from "./components/look";
import { openServices } from "./components/openServices";
import { pulumiHost } from "./components/pulumiHost";
import { declareApps } from "./components/declare/declareApps";
import { everyResource } from "./components/declare/everyResource";
import { conclude, orLeaveMistakes, reportPlans } from "./components/report/conclude";

/** config ─► discover ─► probe ─► plan ─► declare ─► attest ─► outputs; the first half is `look`. */
export = async () => {
  const host = pulumiHost();
  const found = await orLeaveMistakes(host, () => look(apps, host));
  everyResource();
  await reportPlans(found.plans, found.config.run);
  const mirrored = declareApps(found.plans, openServices(found.config, found.edges, host));
  return conclude(found, mirrored, host);
};
