import { existsSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../components/system/process";
import type { Environment } from "./environment";

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
  await outputOf("pulumi", args, { directory: project, environment: { ...process.env, ...env }, limitMs: 60_000 });
}
