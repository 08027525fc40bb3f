import { readFileSync, readlinkSync } from "node:fs";

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
    return (error as NodeJS.ErrnoException).code === "EPERM";
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
