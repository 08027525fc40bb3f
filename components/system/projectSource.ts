import { spawnSync } from "node:child_process";

/** Where the project that is running comes from. */
export interface ProjectSource {
  readonly repository: string;
  readonly commit: string;
}

/**
 * The repository and commit of the checkout the program runs from. Undefined when it is none, or its files differ from the commit:
 * then nothing can be said.
 */
export function projectSource(root: string): ProjectSource | undefined {
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
