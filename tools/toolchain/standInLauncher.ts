import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { checkout } from "../../components/engine/checkout";
import { shellWord } from "../../components/model/quoting";
import { placeWhole } from "../../components/system/placeWhole";

/** Pulumi packages there is a stand-in for. */
export type StandInName = "command" | "github";

/**
 * Makes the launcher `pulumi-resource-<name>` for a stand-in provider and returns its path.
 *
 * The sources are bundled into a folder named after what comes of them: the engine starts a provider as a program. `folder` must
 * lie below the checkout's `node_modules`, so that Node finds the libraries from there.
 */
export async function standInLauncher(name: StandInName, folder: string): Promise<string> {
  const version = sdkVersion(name);
  const { outputFiles } = await build({
    entryPoints: [path.join(checkout, "tools/providers/main.ts")],
    write: false,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    logLevel: "silent",
  });
  const bundle = outputFiles[0]?.text ?? "";
  const key = createHash("sha256")
    .update(JSON.stringify([process.execPath, version, bundle]))
    .digest("hex");
  const target = path.join(folder, `${name}-${key.slice(0, 16)}`);
  const launcher = path.join(target, `pulumi-resource-${name}`);
  if (existsSync(launcher)) return launcher;
  await placeWhole(target, async (draft) => {
    await mkdir(draft);
    await writeFile(path.join(draft, "main.js"), bundle);
    const command = [process.execPath, path.join(target, "main.js"), name, version].map(shellWord).join(" ");
    await writeFile(path.join(draft, `pulumi-resource-${name}`), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }).catch((error: unknown) => {
    // Another process was faster; what it made has the same contents.
    if (!existsSync(launcher)) throw error;
  });
  return launcher;
}

/** Version of the installed SDK package, without `v`: the plugin's version is the same by convention. */
export function sdkVersion(name: string): string {
  const manifest: unknown = createRequire(path.join(checkout, "package.json"))(`@pulumi/${name}/package.json`);
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
  return String(version).replace(/^v/, "");
}
