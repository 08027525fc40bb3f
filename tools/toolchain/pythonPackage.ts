import { rm } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { MissingToolError } from "./missingToolError";
import { placeWhole } from "../../components/system/placeWhole";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
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
  const pin = `${name}==${tool.version ?? ""}`;
  const args = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps", pin, "--target"];
  await placeWhole(target, async (draft) => {
    await outputOf("python3", [...args, draft], { limitMs: limit });
    await rm(target, { recursive: true, force: true });
  }).catch((cause: unknown) => {
    const reason = `pip install ${pin} failed: ${reasonOf(cause)}`;
    throw new MissingToolError(tool.name, reason, "install it by hand and put it on PATH");
  });
}
