import { processTree, readProcess } from "./processTree";

const everyMs = 100;
const ticksPerSecond = 100;

/** Processor seconds by the name of the program that used them. */
export type ProcessorSeconds = Readonly<Record<string, number>>;

/**
 * Watches what a process and its descendants compute. Call the result to stop: it gives the processor seconds each program used.
 * What a process did after it was last seen, up to a tenth of a second, is missing.
 */
export function watchProcessor(root: number): () => ProcessorSeconds {
  const seen = new Map<number, { readonly name: string; readonly seconds: number }>();
  const look = (): void => {
    for (const process of processTree(root)) {
      const used = usedBy(process);
      // One that has just ended still says how long it computed, but no longer what it was.
      if (used) seen.set(process, { ...used, name: used.name || (seen.get(process)?.name ?? "unnamed") });
    }
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    const sums = new Map<string, number>();
    for (const { name, seconds } of seen.values()) sums.set(name, (sums.get(name) ?? 0) + seconds);
    return Object.fromEntries([...sums].toSorted(([, one], [, other]) => other - one));
  };
}

/** `docker-build 4.9 s, pulumi 3.0 s`: what matters of it. */
export function describeProcessor(used: ProcessorSeconds): string {
  const shown = Object.entries(used).filter(([, seconds]) => seconds >= 0.1);
  return shown.map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`).join(", ");
}

/** Fields 14 and 15 of `/proc/PID/stat`, after the name in parentheses; see proc(5). */
function usedBy(process: number): { readonly name: string; readonly seconds: number } | undefined {
  const fields = readProcess(`${process}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  const [user, system] = [fields[11], fields[12]];
  if (user === undefined || system === undefined) return undefined;
  return { name: nameOf(process), seconds: (Number(user) + Number(system)) / ticksPerSecond };
}

/** The program's file, for Node the script it runs. */
function nameOf(process: number): string {
  const [program = "", ...words] = readProcess(`${process}/cmdline`).split("\0");
  const script = words.find((word) => /\.[cm]?[jt]s$|cmd\/run/.test(word));
  const file = base(program);
  if (file !== "node" || script === undefined) return file.replace(/^pulumi-resource-/, "provider ");
  if (script.includes("cmd/run")) return "program";
  return /providers\/([a-z]+)-/.exec(script)?.[1]?.replace(/^/, "provider ") ?? `node ${base(script)}`;
}

function base(path: string): string {
  return path.split("/").at(-1) ?? path;
}
