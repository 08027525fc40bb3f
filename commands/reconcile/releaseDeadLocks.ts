import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { hasCode } from "../../components/model/reasonOf";
import { readKept } from "../../components/system/placeWhole";

/** What Pulumi's file backend writes into a lock (pkg/backend/diy/lock.go). */
const lockSchema = z.object({ pid: z.int().positive(), hostname: z.string() });

/**
 * Takes away the locks that runs left in a local state folder because they were killed, so that the next run needs nobody to
 * unlock it. Only a lock whose process was on this machine and is no more goes; the lock of a run that goes on stays, and so
 * does whatever cannot be read. Other backends are left alone: they say themselves who holds a lock.
 * @param backend the backend's URL; only `file://` is looked at.
 * @returns the process ids whose locks were taken away.
 */
export async function releaseDeadLocks(backend: string): Promise<readonly number[]> {
  if (!backend.startsWith("file:///")) return [];
  const folder = join(fileURLToPath(new URL(backend)), ".pulumi", "locks");
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const released: number[] = [];
  for (const file of files.filter((name) => name.endsWith(".json"))) {
    const path = join(folder, file);
    const lock = readKept(path, lockSchema);
    if (!lock || lock.hostname !== hostname() || (await isPulumi(lock.pid))) continue;
    await rm(path, { force: true });
    released.push(lock.pid);
  }
  return released;
}

/** Whether the process is alive and, where the system can tell, a Pulumi: its number may have gone to another program. */
async function isPulumi(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
  // One that has ended stays listed (Z) until its parent asks how: who inherited it from a killed run may never do so.
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => `${pid} (pulumi) R`);
  return /^\d+ \(pulumi.*\) [^ZX]/.test(status);
}
