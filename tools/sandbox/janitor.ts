import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { checkout } from "../../components/engine/checkout";

/** What is to be cleaned up when the sandbox ends. */
export interface JanitorOptions {
  /** Names of interpreters registered with the kernel. */
  readonly registrations: readonly string[];
  /** Control group, as a path below each hierarchy. */
  readonly controlGroup?: string;
  /** Host of the engine, and label of what is to be removed from it. */
  readonly engine?: { readonly host: string; readonly label: string };
}

/**
 * Starts the process that cleans up after this one, even after its SIGKILL: it waits for the end of a pipe only we hold.
 * @returns a function that has the work done now and waits for it.
 */
export function startJanitor(options: JanitorOptions): () => Promise<void> {
  const janitor = spawn(process.execPath, [join(checkout, "tools/sandbox/janitor.cjs"), JSON.stringify(options)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: { PATH: process.env.PATH },
  });
  janitor.unref();
  janitor.stdin.on("error", () => {});
  const ended = once(janitor, "exit");
  return async () => {
    // From now on this process waits for it.
    janitor.ref();
    janitor.stdin.end();
    await ended;
  };
}
