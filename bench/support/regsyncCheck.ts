import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import type { BenchApp } from "./benchApp";
import type { Workshop } from "./workshop";

/** `regsync check` can only compare tags with tags: of these versions with a copy of them, which is made first. */
export async function regsyncCheck(
  workshop: Workshop,
  namespace: string,
  apps: readonly Pick<BenchApp, "name" | "versions">[],
): Promise<() => Promise<number>> {
  const program = (await ensureTools(["regsync"])).programs.get("regsync") ?? "regsync";
  const registry = workshop.registry(namespace);
  const copy = workshop.registry(`${namespace}-copy`);
  const file = join(workshop.folder, "regsync.yaml");
  const sync = apps.map(({ name, versions }) => ({
    source: registry.name(name),
    target: copy.name(name),
    type: "repository",
    tags: { allow: versions.map(({ version }) => version.replaceAll(".", "\\.")) },
  }));
  const settings = {
    version: 1,
    creds: [{ registry: registry.repositories.split("/")[0], tls: "disabled", ...workshop.credentials }],
    defaults: { parallel: 16 },
    sync,
  };
  writeFileSync(file, JSON.stringify(settings));
  await workshop.run([program, "once", "--config", file]);
  return async () => (await workshop.run([program, "check", "--config", file])).seconds;
}
