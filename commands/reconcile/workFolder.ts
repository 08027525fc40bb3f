import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReconcileRequest } from "./request";
import { UsageError } from "./usageError";

/** Files of one run, outside the project: Pulumi writes the salt of a new state into the stack configuration it is given. */
export interface WorkFolder {
  readonly folder: string;
  /** Copy of the stack configuration, with what the request overrides. */
  readonly configFile: string;
  /** Pulumi backend. */
  readonly state: string;
  /** Pulumi's event log. */
  readonly events: string;
  /** What the program leaves. */
  readonly report: string;
  readonly remove: () => Promise<void>;
}

/** Makes the folder of a run. @param config text of the stack's configuration. */
export async function makeWorkFolder({ project, stack, state }: ReconcileRequest, config: string): Promise<WorkFolder> {
  const name = configName(stack);
  const folder = await mkdtemp(join(tmpdir(), "reconcile-"));
  await mkdir(join(folder, "state"));
  await copyFile(join(project, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  const configFile = join(folder, name);
  await writeFile(configFile, config);
  return {
    folder,
    configFile,
    state: state ?? `file://${join(folder, "state")}`,
    events: join(folder, "events.ndjson"),
    report: join(folder, "report.json"),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/**
 * The text of the stack's configuration.
 * @throws UsageError when there is no such stack.
 */
export async function readConfiguration({ project, stack, configFile }: ReconcileRequest): Promise<string> {
  const path = configFile ?? join(project, configName(stack));
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `stack ${JSON.stringify(stack)} has no configuration: ${JSON.stringify(path)} cannot be read; name another with --config-file`;
    throw new UsageError(message, { cause });
  }
}

function configName(stack: string): string {
  return `Pulumi.${stack.split("/").at(-1)}.yaml`;
}
