import { delimiter } from "node:path";
import { runProcess } from "../../components/system/process";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import type { ToolName } from "../../tools/toolchain/tool";

/** Where the Pulumi CLI is, and the search path with everything it needs. */
export interface FoundPulumi {
  readonly program: string;
  readonly path: string;
}

const needed: readonly ToolName[] = [
  "pulumi",
  "pulumi-language-nodejs",
  "pulumi-resource-docker-build",
  "pulumi-resource-command",
  "pulumi-resource-github",
];

/**
 * The Pulumi CLI on PATH, in any version 3; it fetches its plugins itself. Where there is none, the pinned toolchain, which is
 * made if need be.
 * @throws MissingToolError when it cannot be had.
 */
export async function findPulumi(environment: NodeJS.ProcessEnv): Promise<FoundPulumi> {
  const path = environment["PATH"] ?? "";
  const found = await runProcess("pulumi", ["version"], { limitMs: 60_000 }).catch(() => undefined);
  if (found?.status === 0 && /^v?3\.\d+\.\d+/.test(found.stdout)) return { program: "pulumi", path };
  const tools = await ensureTools(needed);
  return { program: tools.programs.get("pulumi") ?? "pulumi", path: [tools.folder, path].join(delimiter) };
}
