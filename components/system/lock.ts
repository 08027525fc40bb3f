import { randomUUID } from "node:crypto";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hasCode } from "../model/reasonOf";
import { systemClock } from "./clock";

/** Where the system does not tell when a process started. */
const untold = "0";

/**
 * Boot of the machine, pid namespace, pid and start time of a living process, `BOOT-NAMESPACE-PID-START`; undefined when there is
 * none. Unlike a pid it is never given to another process. Without `/proc` (macOS) the other parts are `0`.
 */
export function processIdentity(pid: number): string | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : `${here()}-${pid}-${start}`;
}

/** What has become of the process with an identity. Unknown: it belongs to another pid namespace, or the system hides it. */
export function fateOf(identity: string): "alive" | "dead" | "unknown" {
  const [boot, namespace, pid, start] = identity.split("-");
  const [thisBoot, thisNamespace] = here().split("-");
  if (boot !== thisBoot) return "dead";
  if (namespace !== thisNamespace) return "unknown";
  const now = startOf(Number(pid));
  if (now === undefined) return "dead";
  if (now === start) return "alive";
  return now === untold || start === untold ? "unknown" : "dead";
}

function startOf(pid: number): string | undefined {
  try {
    // Field 22 is counted from behind the command's closing bracket, since the command may itself hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return exists(pid) ? untold : undefined;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

function here(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    return `${boot}-${/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0]}`;
  } catch {
    return `${untold}-${untold}`;
  }
}

/** How to wait for a lock. */
export interface LockOptions {
  /** What is locked, for the message when time is up. */
  readonly what: string;
  /** Aborted when it is not worth waiting any longer. */
  readonly deadline?: AbortSignal;
  /** Called once when somebody else holds the lock. */
  readonly waiting?: () => void;
}

const pollMs = 50;
/** How long a holder is believed of whom nobody here can tell whether it lives: longer than anything held takes. */
const longestBeliefMs = 2 * 60 * 60 * 1000;

/**
 * Does work while holding the lock at a path, so that no two of this machine do it at once; waits for its turn.
 * @throws Error with the holder's process number when the deadline comes first.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { what, deadline, waiting } = options;
  let release = takeLock(path);
  if (!release) waiting?.();
  while (!release) {
    if (deadline?.aborted)
      throw new Error(`${what} is still in use by process ${lockHolder(path)}; its lock is ${JSON.stringify(path)}`);
    await systemClock.sleep(pollMs);
    release = takeLock(path);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Takes the lock at a path for this process; undefined when a living process holds it, this one included. A dead holder's is
 * taken over.
 *
 * The lock is a folder that holds one file, named after the holder and one taking. It is made aside and renamed into place,
 * which rename(2) does only where there is nothing or an empty folder: of many one comes first, and there is no moment in
 * which the lock is held by nobody known. A dead holder's file is removed by its name, which is never used again, so that
 * one who was slow to judge removes nothing of the next holder.
 * @returns what gives it back.
 */
export function takeLock(path: string): (() => void) | undefined {
  for (const holder of holders(path)) {
    if (holds(path, holder)) return undefined;
    rmSync(join(path, holder), { force: true });
  }
  const name = `${processIdentity(process.pid)}.${randomUUID()}`;
  const draft = `${path}.${name}`;
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(draft, name), "");
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (hasCode(error, "ENOTEMPTY", "EEXIST")) return undefined;
    throw error;
  }
  return () => {
    rmSync(join(path, name), { force: true });
    removeEmpty(path);
  };
}

/** Process number of the living holder, if any. */
export function lockHolder(path: string): number | undefined {
  const holder = holders(path).find((name) => holds(path, name));
  return holder === undefined ? undefined : Number(holder.split("-")[2]);
}

function holders(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

function holds(path: string, holder: string): boolean {
  const fate = fateOf(holder.split(".")[0] ?? "");
  if (fate !== "unknown") return fate === "alive";
  const taken = statSync(join(path, holder), { throwIfNoEntry: false })?.mtimeMs;
  return taken !== undefined && Date.now() - taken < longestBeliefMs;
}

/** The next holder may be there already, or have taken the empty folder away. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  }
}
