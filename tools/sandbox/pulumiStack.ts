import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Environment } from "./environment";

const run = promisify(execFile);

/**
 * Makes a stack in the sandbox's Pulumi backend, unless it is there.
 * @param project folder with the Pulumi.yaml.
 * @throws Error with the CLI's message.
 */
export async function ensureStack(env: Environment, project: string, stack = "sandbox"): Promise<void> {
  const name = "multiarch-mirror";
  if (
    existsSync(join(env.PULUMI_BACKEND_URL?.replace("file://", "") ?? "", ".pulumi", "stacks", name, `${stack}.json`))
  )
    return;
  const args = ["stack", "init", stack, "--non-interactive", "--no-select"];
  await run("pulumi", args, { cwd: project, env: { ...process.env, ...env }, timeout: 60_000 });
}
