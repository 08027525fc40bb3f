import { processTree, readProcess } from "./processTree";

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
  const megabytes = processTree(root).map(
    (process) => Number(/^VmRSS:\s+([0-9]+)/m.exec(readProcess(`${process}/status`))?.[1] ?? 0) / 1024,
  );
  return megabytes.reduce((sum, one) => sum + one, 0);
}
