import { readdirSync, readFileSync } from "node:fs";

const everyMs = 250;

/**
 * Watches a process and its descendants. Call the result to stop: it gives the most megabytes they held together.
 * What is shared between them counts once per process, so it is an upper bound.
 */
export function watchMemory(root: number): () => number {
  let most = 0;
  const look = (): void => void (most = Math.max(most, residentMegabytes(root)));
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    return Math.round(most);
  };
}

function residentMegabytes(root: number): number {
  const processes = new Map<number, { readonly parent: number; readonly megabytes: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const status = read(`/proc/${name}/status`);
    const field = (key: string): number => Number(new RegExp(`^${key}:\\s+([0-9]+)`, "m").exec(status)?.[1] ?? 0);
    processes.set(Number(name), { parent: field("PPid"), megabytes: field("VmRSS") / 1024 });
  }
  const belongs = (process: number): boolean =>
    process === root || (process > 1 && belongs(processes.get(process)?.parent ?? 0));
  return [...processes].reduce((sum, [process, { megabytes }]) => sum + (belongs(process) ? megabytes : 0), 0);
}

/** A process may end while it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
