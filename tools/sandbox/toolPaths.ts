import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./layout";

/** The programs a sandbox runs or offers. */
export const sandboxTools = [
  "pulumi",
  "pulumi-language-nodejs",
  "pulumi-resource-docker-build",
  "buildkitd",
  "buildctl",
  "buildx",
  "registry",
  "olareg",
  "cosign",
  "syft",
  "regctl",
] as const;

/** Where the pinned programs are. */
export interface ToolPaths {
  /** Folders to put in front of PATH. */
  readonly folders: readonly string[];
  readonly paths: Readonly<Record<string, string>>;
}

/** Finds the programs a sandbox needs; `progress` hears of long steps. */
export async function toolPaths(progress: (line: string) => void): Promise<ToolPaths> {
  const folder = join(cacheFolder(), "bin");
  progress(`tools in ${folder}`);
  const found = sandboxTools.filter((name) => existsSync(join(folder, name)));
  return { folders: [folder], paths: Object.fromEntries(found.map((name) => [name, join(folder, name)])) };
}

/**
 * The path of one program.
 * @throws Error that names it when it is not there.
 */
export function programPath({ paths, folders }: ToolPaths, name: (typeof sandboxTools)[number]): string {
  const path = paths[name];
  if (path === undefined) throw new Error(`the program "${name}" is not in ${folders.join(", ")}`);
  return path;
}
