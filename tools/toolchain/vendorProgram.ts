import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import type { Tool, Vendor } from "./tool";
import { copyFromImage, imagesServe } from "./vendorImage";

/** A vendor whose program comes by an installer. */
type Installer = Exclude<Vendor, { by: "image" }>;

const limits = { npm: 300_000, pulumi: 60_000 };

/** Where a vendor's installer puts a tool's program; undefined for a tool without one. */
export function vendorProgram({ name, version = "", vendor }: Tool, { cache, pulumi }: Folders): string | undefined {
  switch (vendor?.by) {
    case undefined:
      return undefined;
    case "npm":
      return path.join(pulumi, "versions", vendor.release, "bin", name);
    case "pulumi":
      return path.join(pulumi, "plugins", `resource-${vendor.plugin}-v${version}`, name);
    case "image":
      return path.join(cache, "tools", `${name}-${version}-image-${process.arch}`, name);
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
  // An engine may be started later.
  if (vendor.by === "image" && !(await imagesServe())) return;
  const work =
    vendor.by === "image"
      ? copyFromImage(vendor.image, vendor.program, vendorProgram(tool, folders) ?? "")
      : runInstaller(vendor, version, folders, pulumi);
  const outcome = await work.catch(reasonOf);
  await mkdir(path.dirname(tried), { recursive: true });
  await writeFile(tried, `${outcome ?? "copied"}\n`);
}

async function runInstaller(
  vendor: Installer,
  version: string,
  folders: Folders,
  pulumi: () => Promise<string>,
): Promise<string> {
  const [program, args] = await installer(vendor, version, pulumi);
  return outputOf(program, args, {
    limitMs: limits[vendor.by],
    environment: {
      ...process.env,
      PULUMI_HOME: folders.pulumi,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    },
  });
}

async function installer(
  vendor: Installer,
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
