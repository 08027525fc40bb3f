import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import type { Tool } from "./tool";

const limit = 60_000;

/** Where `pulumi plugin install` puts a tool's plugin; undefined for a tool that is no plugin. */
export function pluginProgram(tool: Tool, { plugins }: Folders): string | undefined {
  return tool.plugin === undefined
    ? undefined
    : path.join(plugins, `resource-${tool.plugin}-v${tool.version ?? ""}`, tool.name);
}

/**
 * Lets Pulumi install the official plugin. Tried once per version and cache: where there is no way to the vendor, the
 * tests should not wait for it every time. Whether it worked shows when the program is run.
 */
export async function installPulumiPlugin(pulumi: string, tool: Tool, { cache }: Folders): Promise<void> {
  if (tool.plugin === undefined || tool.version === undefined) {
    return;
  }
  const tried = path.join(cache, "tried", `${tool.name}-${tool.version}`);
  if (existsSync(tried)) return;
  const outcome = await outputOf(pulumi, ["plugin", "install", "resource", tool.plugin, tool.version], {
    limitMs: limit,
    environment: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_IGNORE_AMBIENT_PLUGINS: "true" },
  }).catch(reasonOf);
  await mkdir(path.dirname(tried), { recursive: true });
  await writeFile(tried, `${outcome}\n`);
}
