import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outputOf, type ProcessOptions } from "../../components/system/process";

/** A file of a commit: its content, or content and mode. */
type GitFile =
  string | Uint8Array | { readonly content: string | Uint8Array; readonly mode: "100644" | "100755" | "120000" };

/** A tag of a commit: a name for a lightweight one, or name and message for an annotated one. An existing tag is moved. */
export type GitTag = string | { readonly name: string; readonly message: string };

/** One commit of a fixture repository. Commits follow each other; each holds exactly the files given. */
export interface GitCommit {
  readonly files: Readonly<Record<string, GitFile>>;
  readonly message?: string;
  /** ISO 8601; default: a fixed day, plus an hour for every commit before, so that hashes are the same every time. */
  readonly date?: string;
  readonly tags?: readonly GitTag[];
  /** Default `main`. */
  readonly branch?: string;
}

const firstDate = Date.parse("2026-01-01T00:00:00Z");
const committer = "Sandbox <sandbox@example.invalid>";

/**
 * Adds commits and tags to a bare repository, which is created when it does not exist, in one run of `git fast-import`;
 * thousands of tags are a matter of a second.
 * @returns the commit hashes in order.
 * @throws Error with git's own message.
 */
export async function writeGitRepository(folder: string, commits: readonly GitCommit[]): Promise<readonly string[]> {
  if (!existsSync(join(folder, "HEAD"))) await initialise(folder);
  const marks = join(folder, "sandbox-marks");
  const input: Uint8Array[] = [];
  const started = new Set<string>();
  commits.forEach((commit, position) => {
    const { branch = "main" } = commit;
    const continues = !started.has(branch) && existsSync(join(folder, "refs", "heads", branch));
    started.add(branch);
    writeCommit(input, { ...commit, branch }, position, continues);
  });
  write(input, "done\n");
  await outputOf("git", ["fast-import", "--quiet", "--force", `--export-marks=${marks}`], {
    ...gitOptions(folder),
    input: Buffer.concat(input),
  });
  const byMark = new Map(
    readFileSync(marks, "utf8")
      .split("\n")
      .map((entry) => entry.split(" ") as [string, string]),
  );
  return commits.map((_, position) => byMark.get(`:${position + 1}`) ?? "");
}

/** An environment in which git reads no configuration but the repository's own. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: "*",
    LC_ALL: "C",
  };
}

function gitOptions(directory: string): ProcessOptions {
  return { directory, environment: gitEnvironment(), limitMs: 600_000 };
}

async function initialise(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await outputOf("git", ["init", "--quiet", "--bare", "--initial-branch=main"], gitOptions(folder));
  const settings = [
    "[uploadpack]",
    "allowAnySHA1InWant = true",
    "allowFilter = true",
    "[pack]",
    "compression = 1",
    "[core]",
    // Large files are stored whole and handed out as they are.
    "bigFileThreshold = 1m",
    "compression = 1",
    // A fixture need not survive a power cut, and thousands of tags are synced one by one otherwise.
    "fsync = none",
  ];
  writeFileSync(join(folder, "config"), `${readFileSync(join(folder, "config"), "utf8")}${settings.join("\n")}\n`);
}

function writeCommit(input: Uint8Array[], commit: GitCommit, position: number, continues: boolean): void {
  const { files, branch, message = `Commit ${position + 1}`, tags = [] } = commit;
  const time = commit.date === undefined ? firstDate + position * 3_600_000 : Date.parse(commit.date);
  const stamp = `${committer} ${Math.floor(time / 1000)} +0000`;
  write(input, `commit refs/heads/${branch}\nmark :${position + 1}\ncommitter ${stamp}\n`);
  writeData(input, message);
  // Later commits of this run follow the earlier ones by themselves.
  if (continues) write(input, `from refs/heads/${branch}^0\n`);
  write(input, "deleteall\n");
  for (const [path, file] of Object.entries(files)) {
    const { content, mode } =
      typeof file === "string" || file instanceof Uint8Array ? { content: file, mode: "100644" } : file;
    write(input, `M ${mode} inline ${path}\n`);
    writeData(input, content);
  }
  for (const tag of tags) writeTag(input, tag, position, stamp);
}

function writeTag(input: Uint8Array[], tag: GitTag, position: number, stamp: string): void {
  if (typeof tag === "string") return write(input, `reset refs/tags/${tag}\nfrom :${position + 1}\n\n`);
  write(input, `tag ${tag.name}\nfrom :${position + 1}\ntagger ${stamp}\n`);
  writeData(input, tag.message);
}

function writeData(input: Uint8Array[], content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  write(input, `data ${bytes.length}\n`);
  input.push(bytes);
  write(input, "\n");
}

function write(input: Uint8Array[], text: string): void {
  input.push(Buffer.from(text));
}
