import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a client process ended. */
export interface ClientEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
}

/** A process to run: no shell, its own process group, nothing read from the terminal. */
export interface ClientProcess {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly timeoutMilliseconds: number;
  /** Text given on standard input. */
  readonly input?: string;
  readonly onErrorLine?: (line: string) => void;
}

/** Time between the polite and the final signal: long enough for the client to cancel its build. */
const graceMilliseconds = 5_000;

/** Process groups under way. One listener serves them all: Node warns of more than ten. */
const running = new Set<number>();

/**
 * Runs a process to its end, killing it and all it started when it takes too long or when this process exits.
 * @throws Error with code ENOENT when there is no such program, EACCES when it may not be run.
 */
export async function runClient(client: ClientProcess): Promise<ClientEnd> {
  const { command, environment, onErrorLine } = client;
  // A group of its own, so that a client's plugin processes are reached as well.
  const child = spawn(command, client.arguments, {
    env: environment,
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  const kill = (signal: NodeJS.Signals): void => killGroup(child.pid, signal);
  if (child.pid !== undefined) watch(child.pid);
  let timedOut = false;
  const timers = [
    setTimeout(() => {
      timedOut = true;
      kill("SIGTERM");
    }, client.timeoutMilliseconds),
    setTimeout(() => kill("SIGKILL"), client.timeoutMilliseconds + graceMilliseconds),
  ];
  // The process may end before it has read everything; its exit code tells the story.
  child.stdin.on("error", () => undefined);
  child.stdin.end(client.input ?? "");
  createInterface({ input: child.stderr, crlfDelay: Infinity }).on("line", (line) => onErrorLine?.(line));
  try {
    return await new Promise<ClientEnd>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal, timedOut }));
    });
  } finally {
    timers.forEach(clearTimeout);
    // What the client started may outlive it.
    if (timedOut) kill("SIGKILL");
    if (child.pid !== undefined) running.delete(child.pid);
  }
}

function watch(pid: number): void {
  if (!process.listeners("exit").includes(killRunning)) process.on("exit", killRunning);
  running.add(pid);
}

function killRunning(): void {
  for (const pid of running) killGroup(pid, "SIGKILL");
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}
