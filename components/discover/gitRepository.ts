import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "../model/safeText";
import { ProcessError, runProcess } from "../system/process";
import { gitOptions } from "./gitReferences";

/** What a path of a commit leads to, symbolic links followed within the tree. */
export type TreeFile =
  | { readonly kind: "file"; readonly bytes: Buffer }
  | { readonly kind: "absent" }
  /** A symbolic link out of the tree. */
  | { readonly kind: "outside"; readonly target: string }
  /** Symbolic links without an end. */
  | { readonly kind: "loop" };

const longestListing = 64 * 1024 * 1024;

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

  /** @param url an http(s) URL, checked by the caller; no redirect is followed */
  static async create(parent: string, url: string, timeoutMs: number): Promise<GitRepository> {
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, "fetch-"));
    const repository = new GitRepository(folder, url, timeoutMs);
    try {
      await repository.run(["init", "--quiet", "--bare", "--template="], 4096);
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

  /** The commit the last fetch brought, peeled, and when it was made: ISO 8601 with the committer's own offset. */
  async fetched(): Promise<{ readonly commit: string; readonly committedAt: string }> {
    const output = await this.run(["log", "-1", "--no-show-signature", "--format=%H %cI", "FETCH_HEAD"], 4096);
    const [commit = "", committedAt = ""] = output.toString().trim().split(" ");
    return { commit, committedAt };
  }

  /**
   * What paths of a commit lead to, in their order; asks the remote for files that are not here yet.
   * @param paths checked by the caller; none has a line break
   * @param limit most bytes of one file
   */
  async files(commit: string, paths: readonly string[], limit: number): Promise<readonly TreeFile[]> {
    const questions = paths.map((path) => `${commit}:${path}\n`).join("");
    const most = paths.length * (limit + 4096);
    const output = await this.run(["cat-file", "--batch", "--follow-symlinks"], most, questions);
    return readAnswers(output, paths.length, (size) => {
      if (size > limit) throw this.tooLarge("cat-file");
    });
  }

  /** Those of some paths under which the commit itself has a file: what is read under another is read through a link. */
  async ownFiles(commit: string, paths: readonly string[]): Promise<readonly string[]> {
    const output = await this.run(["ls-tree", "-z", commit, "--", ...paths], longestListing);
    const entries = output.toString().split("\0");
    return entries.flatMap((entry) => /^100[0-7]{3} blob [0-9a-f]+\t([^]+)$/.exec(entry)?.[1] ?? []);
  }

  /** Paths of all files of the fetched commit. */
  async paths(): Promise<readonly string[]> {
    const output = await this.run(["ls-tree", "-r", "-z", "--name-only", "FETCH_HEAD"], longestListing);
    return output.toString().split("\0").filter(Boolean);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async fetch(filter: string, what: string): Promise<void> {
    const options = ["--quiet", "--depth=1", filter, "--no-tags", "--no-recurse-submodules", "--no-auto-gc"];
    await this.run(["fetch", ...options, "--", "origin", what], 4096);
  }

  private async run(words: readonly string[], limit: number, input = ""): Promise<Buffer> {
    // A filtered fetch needs a named remote, or later reads do not know where to ask for the files left out.
    const own = [`remote.origin.url=${this.url}`, "core.hooksPath=/dev/null", "core.fsmonitor=false"];
    const command = [...gitOptions(this.url, own), `--git-dir=${this.folder}`, ...words];
    const verb = words[0] ?? "";
    const { status, stdout, stderr } = await runProcess("git", command, {
      environment: environment(),
      directory: this.folder,
      limitMs: this.timeoutMs,
      outputLimit: limit,
      encoding: "latin1",
      input,
    }).catch((cause: unknown) => {
      if (cause instanceof ProcessError) throw this.failure(verb, cause);
      throw cause;
    });
    if (status === 0) return Buffer.from(stdout, "latin1");
    const said = printable(Buffer.from(stderr, "latin1").toString().trim(), 500);
    throw new SourceTreeError("git", `git ${verb} of ${JSON.stringify(this.url)} failed: it said ${said}`);
  }

  private failure(verb: string, cause: ProcessError): SourceTreeError {
    if (cause.kind === "output") return this.tooLarge(verb, { cause });
    const reason = cause.kind === "time" ? `no answer within ${this.timeoutMs} ms` : cause.message;
    return new SourceTreeError("git", `git ${verb} of ${JSON.stringify(this.url)} failed: ${reason}`, { cause });
  }

  private tooLarge(verb: string, options?: ErrorOptions): SourceTreeError {
    const problem = `git ${verb} of ${JSON.stringify(this.url)}: the answer is larger than accepted`;
    return new SourceTreeError("content", problem, options);
  }
}

/** Takes apart what `git cat-file --batch --follow-symlinks` wrote: for each question a line, and for some a text of so many bytes. */
function readAnswers(output: Buffer, count: number, checkSize: (size: number) => void): readonly TreeFile[] {
  let position = 0;
  return Array.from({ length: count }, (): TreeFile => {
    const end = output.indexOf("\n", position);
    if (end < 0) throw new SourceTreeError("git", "git cat-file ended before its last answer");
    const [, type, length = ""] =
      /^(?:[0-9a-f]{40,64} )?([a-z]+) ([0-9]+)$/.exec(output.subarray(position, end).toString()) ?? [];
    position = end + 1;
    if (type === undefined) return { kind: "absent" };
    const size = Number(length);
    const bytes = output.subarray(position, position + size);
    position += size + 1;
    switch (type) {
      case "blob":
        checkSize(size);
        return { kind: "file", bytes };
      case "symlink":
        return { kind: "outside", target: bytes.toString() };
      case "loop":
        return { kind: "loop" };
      default:
        // A folder, or a link or path that leads nowhere.
        return { kind: "absent" };
    }
  });
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

/**
 * Why upstream's files could not be read:
 * `input` a value that is not accepted, `git` the git command failed (network, host, no such commit),
 * `moved` the tag or branch is no longer at the commit, `content` a file that cannot be used.
 */
export type SourceTreeFault = "input" | "git" | "moved" | "content";

/** Upstream's files at a commit could not be read; never thrown for a file that simply is not there. */
export class SourceTreeError extends Error {
  override readonly name = "SourceTreeError";
  readonly fault: SourceTreeFault;

  constructor(fault: SourceTreeFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
