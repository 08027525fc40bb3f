import { readdirSync, readFileSync } from "node:fs";

/**
 * Kills a process and everything it started, as a machine does that loses power: SIGKILL to all at once, nobody gets to clean
 * up. Children are found before any of them is orphaned.
 */
export function killTree(pid: number): void {
  for (const victim of [pid, ...descendants(pid, parents())]) {
    try {
      process.kill(victim, "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

function descendants(pid: number, parentOf: ReadonlyMap<number, number>): readonly number[] {
  const children = [...parentOf].filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendants(child, parentOf)]);
}

/** Process → its parent, from `/proc/PID/stat`; the name in parentheses may hold anything. */
function parents(): ReadonlyMap<number, number> {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return new Map(
    pids.flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return [[Number(pid), parent] as const];
      } catch {
        return [];
      }
    }),
  );
}
