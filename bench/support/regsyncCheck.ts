import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import type { BenchApp } from "./benchApp";
import type { Workshop } from "./workshop";

/** `regsync check` can only compare tags with tags, so it gets a copy of everything to compare with. */
export async function regsyncCheck(
  workshop: Workshop,
  namespace: string,
  apps: readonly BenchApp[],
): Promise<() => Promise<number>> {
  const program = (await ensureTools(["regsync"])).programs.get("regsync") ?? "regsync";
  const registry = workshop.registry(namespace);
  const copy = workshop.registry(`${namespace}-copy`);
  for (const { name, versions } of apps) {
    for (const { version } of versions)
      await registry.regctl("image", "copy", registry.name(name, version), copy.name(name, version));
  }
  const file = join(workshop.folder, "regsync.yaml");
  const host = registry.repositories.split("/")[0];
  const sync = apps.map(({ name }) => ({
    source: copy.name(name),
    target: registry.name(name),
    type: "repository",
    tags: { allow: ["[0-9.]+"] },
  }));
  const settings = {
    version: 1,
    creds: [{ registry: host, tls: "disabled", ...workshop.credentials }],
    defaults: { parallel: 16 },
    sync,
  };
  writeFileSync(file, JSON.stringify(settings));
  return async () => (await workshop.run([program, "check", "--config", file])).seconds;
}
