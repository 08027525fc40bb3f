import { readFileSync, readlinkSync } from "node:fs";

/**
 * Pid namespace, pid and start time of a living process, `NAMESPACE-PID-START`; nothing when there is none.
 * Unlike a pid it is never given to another process while the machine runs.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    // Field 22 is counted from behind the command's closing bracket, since the command may itself hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const [state, start] = [fields[0], fields[19]];
    return state === "Z" ? undefined : `${pidNamespace()}-${pid}-${start}`;
  } catch {
    return undefined;
  }
}

/** Number of this process's pid namespace. */
export function pidNamespace(): string {
  return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}
