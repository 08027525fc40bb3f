import { spawn } from "node:child_process";

/** How a program ended and what it wrote. */
export interface ProgramResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it did not end by itself: could not start, was killed, ran out of time. */
  readonly failure: string | undefined;
}

/** What a program is run with. */
export interface ProgramOptions {
  /** Milliseconds; then the program and all it started are killed. */
  readonly timeout: number;
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const outputLimit = 1024 * 1024;

/**
 * Runs a program to its end, without a shell and without input. Never rejects: how it went is in the result.
 * Of each stream the last megabyte is kept.
 */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let failure: string | undefined;
    const written = { stdout: "", stderr: "" };
    const end = (reason: string): void => {
      failure ??= reason;
      if (child.pid !== undefined) {
        killGroup(child.pid);
      }
    };
    const timer = setTimeout(() => end(`no end within ${options.timeout} ms`), options.timeout);
    // Detached children survive us unless we take them along.
    const onExit = (): void => end("the caller ended");
    process.once("exit", onExit);
    const finish = (status: number | undefined): void => {
      clearTimeout(timer);
      process.removeListener("exit", onExit);
      resolve({ ...written, status, failure });
    };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        written[stream] = (written[stream] + text).slice(-outputLimit);
      });
    }
    child.on("error", (error) => {
      failure ??= error.message;
      finish(undefined);
    });
    child.on("close", (status, signal) => {
      failure ??= signal === null ? undefined : `ended by ${signal}`;
      finish(status ?? undefined);
    });
  });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
