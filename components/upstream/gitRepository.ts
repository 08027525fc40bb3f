import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "./printable";
import { SourceTreeError } from "./sourceTreeError";

/** An entry of a tree. */
export interface TreeEntry {
  /** `100644`, `100755` a file, `120000` a symbolic link, `040000` a folder, `160000` a submodule. */
  readonly mode: string;
  readonly object: string;
}

/** Names of git's variables that would point it at another repository or change how it runs. */
const foreign =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|CONFIG_(?:KEY|VALUE)_\d+|SSH|SSH_COMMAND|PROXY_COMMAND|EXEC_PATH|TRACE.*|EXTERNAL_DIFF|PAGER)$/;

/**
 * A bare repository in a folder of its own that holds one commit of a remote one, with its trees and, as they are
 * asked for, single files (a partial clone). Nothing is checked out, so neither hooks nor filters nor submodules run.
 */
export class GitRepository {
  private constructor(
    private readonly folder: string,
    private readonly url: string,
    private readonly timeoutMs: number,
  ) {}

  /** @param url an http(s) URL, checked by the caller */
  static async create(parent: string, url: string, timeoutMs: number): Promise<GitRepository> {
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, "fetch-"));
    const repository = new GitRepository(folder, url, timeoutMs);
    try {
      await repository.run(["init", "--quiet", "--bare", "--template="], 4096);
      // A filtered fetch needs a named remote, or later reads do not know where to ask for the files left out.
      await repository.run(["config", "remote.origin.url", url], 4096);
      return repository;
    } catch (error) {
      await repository.remove();
      throw error;
    }
  }

  /** Fetches one commit with its trees; its files as they are asked for. */
  async fetchCommit(commit: string): Promise<void> {
    await this.fetch("--filter=blob:none", commit);
  }

  /**
   * Fetches what a tag or branch names, with all files: a host that serves no bare commits serves no bare files either.
   * @param reference `refs/tags/…` or `refs/heads/…`, checked by the caller
   */
  async fetchReference(reference: string): Promise<void> {
    await this.fetch("--no-filter", reference);
  }

  /** The commit the last fetch brought, peeled. */
  async fetched(): Promise<string> {
    return (await this.run(["rev-parse", "--verify", "--end-of-options", "FETCH_HEAD^{commit}"], 4096))
      .toString()
      .trim();
  }

  /** When the commit was made, ISO 8601 with the committer's own offset. */
  async committedAt(commit: string): Promise<string> {
    return (await this.run(["log", "-1", "--no-show-signature", "--format=%cI", commit], 4096)).toString().trim();
  }

  /** The entry at a path, or undefined. A path through a symbolic link leads nowhere. */
  async entry(commit: string, path: string): Promise<TreeEntry | undefined> {
    const listing = (await this.run(["ls-tree", "-z", "--full-tree", commit, "--", path], 64 * 1024)).toString();
    for (const line of listing.split("\0")) {
      const [, mode, object, name] = /^([0-7]{6}) [a-z]+ ([0-9a-f]{40,64})\t([^]+)$/.exec(line) ?? [];
      if (mode !== undefined && object !== undefined && name === path) return { mode, object };
    }
    return undefined;
  }

  /** The bytes of a file; asks the remote when they are not here yet. */
  async blob(object: string, limit: number): Promise<Buffer> {
    return this.run(["cat-file", "blob", object], limit);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async fetch(filter: string, what: string): Promise<void> {
    const options = ["--quiet", "--depth=1", filter, "--no-tags", "--no-recurse-submodules", "--no-auto-gc"];
    await this.run(["fetch", ...options, "--", "origin", what], 4096);
  }

  private run(words: readonly string[], limit: number): Promise<Buffer> {
    const scheme = this.url.startsWith("http:") ? "http" : "https";
    const settings = [
      "protocol.allow=never",
      `protocol.${scheme}.allow=always`,
      "http.lowSpeedLimit=1000",
      "http.lowSpeedTime=30",
      "core.hooksPath=/dev/null",
      "core.fsmonitor=false",
    ];
    const command = [...settings.flatMap((setting) => ["-c", setting]), `--git-dir=${this.folder}`, ...words];
    const options = {
      encoding: "buffer",
      env: environment(),
      timeout: this.timeoutMs,
      maxBuffer: limit,
      cwd: this.folder,
    } as const;
    return new Promise((resolve, reject) => {
      execFile("git", command, options, (cause, output, errors) => {
        if (!cause) resolve(output);
        else reject(this.failure(words[0] ?? "", cause, errors));
      });
    });
  }

  private failure(verb: string, cause: Error & { code?: unknown; killed?: boolean }, errors: Buffer): SourceTreeError {
    const where = `git ${verb} of ${JSON.stringify(this.url)}`;
    if (cause.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
      return new SourceTreeError("content", `${where}: the answer is larger than accepted`, { cause });
    }
    const reason = cause.killed
      ? `no answer within ${this.timeoutMs} ms`
      : `it said ${printable(errors.toString().trim(), 500)}`;
    // The cause of a failed execFile repeats the whole command and the raw error text, which is upstream's.
    return new SourceTreeError("git", `${where} failed: ${reason}`);
  }
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const fixed = {
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    GIT_OPTIONAL_LOCKS: "0",
    LC_ALL: "C",
  };
  return { ...Object.fromEntries(kept), ...fixed };
}
