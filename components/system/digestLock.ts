import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const pollMs = 50;
/** Older than any runner may live: its process number may belong to somebody else by now. */
const longestLifeMs = 2 * 60 * 60 * 1000;

/**
 * Lets one process of this machine and user write to a digest at a time. Registries without the referrers API keep one
 * list per digest that every writer reads, changes and puts back, so that of two at once one loses its entry.
 * A lock left by a dead process is taken over. Writers on other machines are not excluded: look again after writing.
 */
export class DigestLock {
  readonly #directory: string;

  /** @param directory where lock files lie; default: one per user below the system's temporary directory. */
  constructor(directory: string = join(tmpdir(), `multiarch-mirror-${userInfo().username}`, "locks")) {
    this.#directory = directory;
  }

  /**
   * Waits for the digest to be free and does the work.
   * @throws Error when it is not free before the deadline.
   */
  async run<T>(reference: string, deadline: AbortSignal, work: () => Promise<T>): Promise<T> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, createHash("sha256").update(reference).digest("hex"));
    while (!(await take(path))) {
      if (deadline.aborted) throw new Error(`${reference} is still being written to by the process in ${path}`);
      if (await isStale(path)) await discard(path);
      else await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(String(process.pid)).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const age = Date.now() - (await stat(path)).mtimeMs;
    const owner = Number(await readFile(path, "utf8"));
    // An empty file is a lock whose owner has not written its number yet, unless it stays so.
    if (owner === 0) return age > 5000;
    return age > longestLifeMs || !isAlive(owner);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Moves the file away first: of several that found it stale only one succeeds. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
