import { stat } from "node:fs/promises";
import { z } from "zod";
import { readKept, writeWhole } from "../../components/system/placeWhole";
import { programVersion } from "./programVersion";
import type { Tool } from "./tool";

const recordSchema = z.record(z.string(), z.object({ mark: z.string(), version: z.string() }));

type Checks = z.infer<typeof recordSchema>;

/**
 * Remembers which programs were run and which version they gave, so that a second run of anything starts at once.
 * A remembered answer holds as long as the file's size and modification time do.
 */
export class CheckedPrograms {
  private constructor(
    private readonly file: string,
    private checks: Checks,
  ) {}

  /** Reads what was remembered; a damaged or missing record is an empty one. */
  static async load(file: string): Promise<CheckedPrograms> {
    return new CheckedPrograms(file, readChecks(file));
  }

  /** True when the program runs and has the tool's version. Answers from memory when the file is unchanged. */
  async fits(program: string, tool: Tool): Promise<boolean> {
    const mark = await markOf(program);
    if (mark === undefined) {
      return false;
    }
    const key = `${program} ${JSON.stringify(tool.question)}`;
    const known = this.checks[key];
    if (known?.mark === mark) {
      return accepted(known.version, tool);
    }
    const version = (await programVersion(program, tool.question)) ?? "";
    await this.remember(key, { mark, version });
    return accepted(version, tool);
  }

  private async remember(key: string, check: Checks[string]): Promise<void> {
    // Read again: another process may have added to it.
    this.checks = { ...readChecks(this.file), ...this.checks, [key]: check };
    await writeWhole(this.file, JSON.stringify(this.checks, undefined, 1));
  }
}

function accepted(version: string, tool: Tool): boolean {
  if (version === "") {
    return false;
  }
  if (tool.question.ask === "languageHost") {
    // Every language host of major version 3 speaks with every such CLI.
    return version.startsWith("3.");
  }
  if (tool.question.ask === "provider") {
    // Pulumi asks for the very version of the SDK.
    return tool.version === undefined || version === tool.version;
  }
  return tool.version === undefined || isAsNew(version, tool.version);
}

/** Whether a version is of the same major version, and not older. */
function isAsNew(version: string, than: string): boolean {
  const [major] = than.split(".");
  return version.split(".")[0] === major && version.localeCompare(than, "en", { numeric: true }) >= 0;
}

async function markOf(program: string): Promise<string | undefined> {
  return stat(program).then(
    (found) => (found.isFile() ? `${found.size} ${found.mtimeMs}` : undefined),
    () => undefined,
  );
}

function readChecks(file: string): Checks {
  return readKept(file, recordSchema) ?? {};
}
