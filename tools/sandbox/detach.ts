import { spawn } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync } from "node:fs";
import { checkout } from "../../components/engine/checkout";
import type { Layout } from "./layout";

/** What a detached supervisor tells the process that started it. */
export type SupervisorMessage =
  | { readonly kind: "progress"; readonly line: string }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string };

/** What the process that started a supervisor tells it: to go on without it. */
const letGo = "let go";

/**
 * Starts tools/sandbox.ts as a process of its own, in a session of its own, and resolves when it says it is ready.
 * Its output goes to `logs/supervisor.log`. Until it is let go it ends with this process, however that ends.
 * @param args what follows its name.
 * @returns what lets it go.
 * @throws Error with the supervisor's message, or the end of its output when it ends without one.
 */
export function detach(args: readonly string[], layout: Layout, progress: (line: string) => void): Promise<() => void> {
  mkdirSync(layout.logs, { recursive: true });
  const file = layout.log("supervisor");
  const log = openSync(file, "w");
  const supervisor = spawn(process.execPath, ["tools/run.cjs", "tools/sandbox.ts", ...args], {
    cwd: checkout,
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      if (supervisor.connected) supervisor.disconnect();
      supervisor.unref();
    };
    supervisor.on("message", (message: SupervisorMessage) => {
      if (message.kind === "progress") return progress(message.line);
      if (message.kind === "ready") return resolve(() => supervisor.send(letGo, leave));
      leave();
      reject(new Error(message.message));
    });
    supervisor.once("error", reject);
    supervisor.once("exit", (code) => {
      leave();
      reject(
        new Error(
          `the sandbox ended while starting (${code}); its output:\n${readFileSync(file, "utf8").slice(-4000)}`,
        ),
      );
    });
  });
}

/** Tells the process that started this one, if it listens. */
export function tellStarter(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message);
}

/** Ends this process as a signal would when the one that started it, if it listens, ends before it lets go. */
export function endWithStarter(): void {
  const end = (): void => void process.kill(process.pid, "SIGTERM");
  process.once("disconnect", end);
  process.on("message", (message) => {
    if (message === letGo) process.off("disconnect", end);
  });
}
