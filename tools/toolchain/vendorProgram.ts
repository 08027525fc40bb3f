import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import type { Tool, Vendor } from "./tool";

const limits = { npm: 300_000, pulumi: 60_000 };

/** Where a vendor's installer puts a tool's program; undefined for a tool without one. */
export function vendorProgram({ name, version = "", vendor }: Tool, { pulumi }: Folders): string | undefined {
  switch (vendor?.by) {
    case undefined:
      return undefined;
    case "npm":
      return path.join(pulumi, "versions", vendor.release, "bin", name);
    case "pulumi":
      return path.join(pulumi, "plugins", `resource-${vendor.plugin}-v${version}`, name);
  }
}

/**
 * Lets the vendor's installer bring a tool. Tried once per version and cache: where there is no way to the vendor, nobody should
 * wait for it every time. Whether it worked shows when the program is run.
 * @param pulumi finds the CLI, which installs plugins
 */
export async function installVendorProgram(tool: Tool, folders: Folders, pulumi: () => Promise<string>): Promise<void> {
  const { name, version, vendor } = tool;
  if (vendor === undefined || version === undefined) return;
  const subject = vendor.by === "npm" ? `npm-pulumi-${vendor.release}` : `${name}-${version}`;
  const tried = path.join(folders.cache, "tried", subject);
  if (existsSync(tried)) return;
  const [program, args] = await installer(vendor, version, pulumi);
  const outcome = await outputOf(program, args, {
    limitMs: limits[vendor.by],
    environment: {
      ...process.env,
      PULUMI_HOME: folders.pulumi,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    },
  }).catch(reasonOf);
  await mkdir(path.dirname(tried), { recursive: true });
  await writeFile(tried, `${outcome}\n`);
}

async function installer(
  vendor: Vendor,
  version: string,
  pulumi: () => Promise<string>,
): Promise<readonly [string, readonly string[]]> {
  switch (vendor.by) {
    case "npm":
      return ["npm", ["exec", "--yes", `--package=pulumi@${vendor.release}`, "--", "pulumi", "version"]];
    case "pulumi":
      return [await pulumi(), ["plugin", "install", "resource", vendor.plugin, version]];
  }
}
