import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { MissingToolError } from "./missingToolError";
import { runProgram } from "./runProgram";
import type { Tool } from "./tool";

const limit = 5 * 60_000;

/** Where a program from PyPI lies. */
export function pythonProgram(tool: Tool, { cache }: Folders): string {
  return path.join(cache, "tools", `${tool.name}-${tool.version ?? "any"}-${process.arch}`, "bin", tool.name);
}

/**
 * Installs a PyPI package of one version into a folder of its own.
 * With `--target` rather than a virtual environment: that one has absolute paths in it and could not be moved into place.
 *
 * @throws MissingToolError without Python or pip, or with the end of pip's output
 */
export async function installPythonPackage(tool: Tool, name: string, program: string): Promise<void> {
  const target = path.dirname(path.dirname(program));
  const draft = `${target}.${randomUUID()}`;
  await mkdir(path.dirname(target), { recursive: true });
  const pin = `${name}==${tool.version ?? ""}`;
  const args = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps", "--target", draft, pin];
  const result = await runProgram("python3", args, { timeout: limit });
  if (result.status !== 0) {
    await rm(draft, { recursive: true, force: true });
    const reason = (result.failure ?? result.stderr).trim().split("\n").slice(-3).join("\n");
    throw new MissingToolError(
      tool.name,
      `pip install ${pin} failed: ${reason}`,
      `install it by hand and put it on PATH`,
    );
  }
  await rm(target, { recursive: true, force: true });
  await rename(draft, target);
}
