import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const touchEvery = 5_000;
const staleAfter = 30_000;
const tryEvery = 250;

/**
 * Runs `action` while holding the lock file, so that no two processes do the same work at once; waits for its turn.
 *
 * The holder touches the file every five seconds. A file not touched for thirty belongs to a process that died and is
 * taken over; should two processes take it over in the same moment, both work, so results must be put in place by a
 * rename. `waiting` is called once when somebody else holds the lock.
 */
export async function withFileLock<T>(file: string, waiting: () => void, action: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const token = randomUUID();
  for (let announced = false; !(await acquire(file, token)); announced = true) {
    if (!announced) {
      waiting();
    }
    await removeStale(file);
    await wait(tryEvery);
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, touchEvery);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    if ((await readIfThere(file)) === token) {
      await rm(file, { force: true });
    }
  }
}

async function acquire(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(token);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

async function removeStale(file: string): Promise<void> {
  const age = await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > staleAfter) {
    await rm(file, { force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}
