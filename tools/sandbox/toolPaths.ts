import { ensureTools } from "../toolchain/ensureTools";
import type { ToolName } from "../toolchain/tool";

const always = [
  ...["git", "registry", "olareg", "regctl", "cosign", "syft"],
  ...["pulumi", "pulumi-language-nodejs", "pulumi-resource-docker-build"],
  ...["pulumi-resource-command", "pulumi-resource-github", "buildx"],
] as readonly ToolName[];

const forBuilders: readonly ToolName[] = ["runc", "buildkitd", "buildctl"];

/** The programs a sandbox runs or offers. */
export interface ToolPaths {
  /** Absolute path of each. */
  readonly programs: ReadonlyMap<ToolName, string>;
  /** Value for PATH that finds them all. */
  readonly path: string;
}

/**
 * Finds, installs or builds the programs a sandbox needs. QEMU is taken when it can be had.
 * @throws MissingToolError when another cannot be had, with what to do.
 */
export async function toolPaths(withBuilder: boolean, progress: (line: string) => void): Promise<ToolPaths> {
  if (withBuilder) {
    await ensureTools(["qemu-aarch64-static"], { progress }).catch((error: unknown) => {
      progress(`only this machine's own platform can run build steps: ${String(error)}`);
    });
  }
  return ensureTools(withBuilder ? [...always, ...forBuilders] : always, { progress });
}

/**
 * The path of one program.
 * @throws Error that names it when it was not asked for.
 */
export function programPath({ programs }: ToolPaths, name: ToolName): string {
  const path = programs.get(name);
  if (path === undefined) throw new Error(`the program ${JSON.stringify(name)} is not among the sandbox's`);
  return path;
}
