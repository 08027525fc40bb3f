import { type ChildProcess, spawn } from "node:child_process";

/** What a tool left behind. */
export interface ToolResult {
  /** Exit status; a tool ended by a signal has 128. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a tool is run. */
export interface ToolOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  /** Milliseconds after which the tool and everything it started is killed. */
  readonly limitMs: number;
}

/** Runs a tool to its end. Rejects when it cannot be started or runs too long; a status other than 0 is a result. */
export type RunTool = (command: string, argv: readonly string[], options: ToolOptions) => Promise<ToolResult>;

const graceMs = 2000;
const longestOutput = 256 * 1024 * 1024;
const running = new Set<ChildProcess>();

/**
 * Runs a tool by argument vector, without a shell and without standard input, in a process group of its own, so that
 * a time-out (or an end of this process by signal) takes all of its children along.
 */
export const runTool: RunTool = (command, argv, options) =>
  new Promise((resolve, reject) => {
    const { directory: cwd, environment: env, limitMs } = options;
    const child = spawn(command, argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    let failure: Error | undefined;
    const stop = (error: Error): void => {
      failure ??= error;
      kill(child, "SIGTERM");
      setTimeout(() => kill(child, "SIGKILL"), graceMs).unref();
    };
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > longestOutput) stop(new Error(`${command} wrote more than ${longestOutput} bytes`));
      else into.push(chunk);
    };
    child.stdout.on("data", collect(stdout));
    child.stderr.on("data", collect(stderr));
    const timer = setTimeout(
      () => stop(new Error(`${command} ${argv[0] ?? ""} took longer than ${limitMs / 1000} s`)),
      limitMs,
    );
    child.on("error", (cause) => (failure ??= new Error(`cannot run ${command}: ${cause.message}`, { cause })));
    child.on("close", (status) => {
      clearTimeout(timer);
      running.delete(child);
      // Whatever the tool left running in its group ends with it.
      kill(child, "SIGKILL");
      if (failure) reject(failure);
      else
        resolve({
          status: status ?? 128,
          stdout: Buffer.concat(stdout).toString(),
          stderr: Buffer.concat(stderr).toString(),
        });
    });
  });

/** Kills every tool still running, with its children. For when this process is told to end. */
export function killTools(): void {
  for (const child of running) kill(child, "SIGKILL");
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}
