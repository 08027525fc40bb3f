import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Absolute path of the checkout this code belongs to. Only this file may ask where it lies: tests run the sources one by one, and
 * everything else runs a bundle of them (typescript.cjs), which lies beside the file that was started.
 */
export const checkout = above(__dirname);

function above(folder: string): string {
  return existsSync(join(folder, "start.cjs")) ? folder : above(dirname(folder));
}

/** Where the project that is running comes from. */
export interface ProjectSource {
  readonly repository: string;
  readonly commit: string;
}

/**
 * The repository and commit of a checkout, by default of the one the program runs from. Undefined when it is none, or its files differ from the commit:
 * then nothing can be said.
 */
export function projectSource(root = checkout): ProjectSource | undefined {
  const git = (...argv: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", ["-C", root, ...argv], { encoding: "utf8", timeout: 10_000 });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git("rev-parse", "--verify", "HEAD");
  if (commit === undefined) return undefined;
  const repository = webAddress(git("remote", "get-url", "origin") ?? "");
  const changed = git("status", "--porcelain", "--untracked-files=no");
  return repository !== undefined && changed === "" ? { repository, commit } : undefined;
}

/** A remote's address without credentials; undefined for one that is no web address. */
function webAddress(remote: string): string | undefined {
  const address =
    /^git@([^:/]+):(.+)$/.exec(remote)?.slice(1).join("/") ?? remote.replace(/^https?:\/\/(?:[^@/]*@)?/, "");
  return /^[A-Za-z0-9.-]+(?::\d+)?\/\S+$/.test(address) ? `https://${address.replace(/\.git$/, "")}` : undefined;
}
