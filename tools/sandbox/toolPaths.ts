import { type Engine, havingImage } from "./engine";
import { ensureTools, type Toolchain } from "../toolchain/ensureTools";
import type { ToolName } from "../toolchain/tool";
import { type RegistryKind, registryPrograms } from "./registry";

const forMirroring: readonly ToolName[] = [
  ...(["pulumi", "pulumi-language-nodejs", "pulumi-resource-docker-build"] as const),
  ...(["pulumi-resource-command", "pulumi-resource-github"] as const),
  ...(["buildx", "cosign", "syft", "regctl"] as const),
];

const forBuilders: readonly ToolName[] = ["runc", "buildkitd", "buildctl"];

/** The programs a sandbox runs or offers. */
export type ToolPaths = Pick<Toolchain, "programs" | "origins" | "path">;

/** What a sandbox is for. */
export interface Purpose {
  readonly registry: RegistryKind;
  /** The mirror runs in it, too; otherwise it only serves. */
  readonly mirror: boolean;
  readonly builders: boolean;
  /** Runs registry and builders. */
  readonly engine?: Engine | undefined;
}

/**
 * Finds, installs or builds the programs a sandbox needs, one after the other. QEMU is taken when it can be had.
 * @throws MissingToolError when another cannot be had, with what to do.
 */
export async function toolPaths(
  { registry, mirror, builders, engine }: Purpose,
  progress: (line: string) => void,
): Promise<ToolPaths> {
  if (engine) {
    const origins = new Map<ToolName, string>();
    for (const name of [registryPrograms[registry], ...(builders ? (["buildkitd"] as const) : [])])
      origins.set(name, `Docker (${await havingImage(engine, name, progress)})`);
    const found = await ensureTools(["git", ...(mirror ? forMirroring : [])], { progress });
    return { ...found, origins: new Map([...origins, ...found.origins]) };
  }
  if (builders) {
    await ensureTools(["qemu-aarch64-static"], { progress }).catch((error: unknown) => {
      progress(`only this machine's own platform can run build steps: ${String(error)}`);
    });
  }
  const names: readonly ToolName[] = ["git", registryPrograms[registry]];
  return ensureTools([...names, ...(builders ? forBuilders : []), ...(mirror ? forMirroring : [])], { progress });
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
