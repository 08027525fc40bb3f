import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { processIdentity } from "./processIdentity";

/** Who holds a sandbox's folder. */
export interface LockHolder {
  readonly pid: number;
  /** Tells a process from a later one with the same pid. */
  readonly identity: string;
}

/** The living process that holds the lock, if any. */
export function lockHolder(file: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8")) as LockHolder;
    return processIdentity(holder.pid) === holder.identity ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock for this process. A lock whose holder is dead is taken over.
 * @throws Error that names the holder when it lives.
 */
export function takeLock(file: string): void {
  const content = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  mkdirSync(dirname(file), { recursive: true });
  const holder = lockHolder(file);
  if (holder) {
    throw new Error(
      `a sandbox is running in ${JSON.stringify(dirname(file))} (process ${holder.pid}); stop it first, or name another folder with --dir`,
    );
  }
  rmSync(file, { force: true });
  writeFileSync(file, content, { flag: "wx" });
}
