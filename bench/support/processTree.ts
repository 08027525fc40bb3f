import { readdirSync, readFileSync } from "node:fs";

/** A process and its descendants, by number. Those that end meanwhile may be missing. */
export function processTree(root: number): readonly number[] {
  return [root, ...childrenOf(root).flatMap(processTree)];
}

/** A file of `/proc`; empty when its process has ended. */
export function readProcess(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, "utf8");
  } catch {
    return "";
  }
}

function childrenOf(process: number): readonly number[] {
  return threadsOf(process)
    .flatMap((thread) => readProcess(`${process}/task/${thread}/children`).split(" "))
    .filter((child) => child !== "")
    .map(Number);
}

function threadsOf(process: number): readonly string[] {
  try {
    return readdirSync(`/proc/${process}/task`);
  } catch {
    return [];
  }
}
