import { MissingToolError } from "./missingToolError";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import type { ToolName } from "./tool";

const limit = 10 * 60_000;

/**
 * Installs a Debian package with apt-get, which root alone may do.
 *
 * @throws MissingToolError telling the command to run by hand
 */
export async function installDebianPackage(tool: ToolName, name: string): Promise<void> {
  const byHand = `install the package by hand: sudo apt-get install ${name}`;
  if (process.getuid?.() !== 0) {
    throw new MissingToolError(tool, "not installed, and installing it needs root", byHand);
  }
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...args: readonly string[]): Promise<string> =>
    outputOf("apt-get", args, { limitMs: limit, environment });
  const install = (): Promise<string> => run("install", "--yes", "--no-install-recommends", name);
  try {
    await install().catch(() =>
      run("update")
        .catch(() => undefined)
        .then(install),
    );
  } catch (cause) {
    throw new MissingToolError(tool, reasonOf(cause), byHand);
  }
}
