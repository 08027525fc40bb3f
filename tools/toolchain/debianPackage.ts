import { MissingToolError } from "./missingToolError";
import { runProgram } from "./runProgram";
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
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "--yes", "--no-install-recommends", name];
  let result = await runProgram("apt-get", install, { timeout: limit, environment });
  if (result.status !== 0) {
    await runProgram("apt-get", ["update"], { timeout: limit, environment });
    result = await runProgram("apt-get", install, { timeout: limit, environment });
  }
  if (result.status !== 0) {
    const reason = (result.failure ?? result.stderr).trim().split("\n").slice(-3).join("\n");
    throw new MissingToolError(tool, `apt-get install ${name} failed: ${reason}`, byHand);
  }
}
