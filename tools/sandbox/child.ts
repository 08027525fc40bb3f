import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What to run as a part of the sandbox. */
export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** File that receives standard output and error; it begins anew. */
  readonly log: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** How many lines of a log an error message shows. */
const tailLines = 15;

/**
 * A child process that dies with this one, however this one ends: the kernel sends it SIGKILL (`setpriv --pdeathsig`).
 * It has a session of its own, so an interrupt at the terminal reaches it only through us.
 */
export class Child {
  private ended = false;
  private failure: Error | undefined;
  readonly exited: Promise<void>;

  private constructor(
    private readonly options: ChildOptions,
    private readonly process: ChildProcess,
  ) {
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        this.ended = true;
        resolve();
      };
      process.once("exit", end);
      process.once("error", (error) => {
        this.failure = error;
        end();
      });
    });
  }

  static start(options: ChildOptions): Child {
    const log = openSync(options.log, "w");
    const args = ["--pdeathsig", "KILL", "--", options.command, ...options.args];
    const env = options.env ?? process.env;
    const child = spawn("setpriv", args, { stdio: ["ignore", log, log], detached: true, env });
    closeSync(log);
    return new Child(options, child);
  }

  get pid(): number | undefined {
    return this.ended ? undefined : this.process.pid;
  }

  /**
   * Waits until `check` says yes, asking again every `intervalMs`.
   * @throws Error with the end of the log when the process ends first or `timeoutMs` pass.
   */
  async ready(check: () => Promise<boolean>, timeoutMs: number, intervalMs = 30): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await check())) {
      if (this.ended) throw this.error("ended while starting", this.failure);
      if (Date.now() > deadline) throw this.error(`is not ready after ${timeoutMs / 1000} s`);
      await sleep(intervalMs);
    }
  }

  /** Ends it: `signal` to the given processes (default: itself), SIGKILL to it after `graceMs`. Resolves when it is gone. */
  async stop(signal: NodeJS.Signals, graceMs: number, targets: readonly number[] = []): Promise<void> {
    if (this.ended) return;
    for (const pid of targets.length > 0 ? targets : [this.process.pid]) if (pid !== undefined) send(pid, signal);
    const timer = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  private error(what: string, cause?: Error): Error {
    const { name, log } = this.options;
    const text = existsSync(log) ? readFileSync(log, "utf8") : "";
    const tail = text.trimEnd().split("\n").slice(-tailLines).join("\n");
    return new Error(`sandbox: ${name} ${what}; the end of ${log}:\n${tail || "(empty)"}`, cause && { cause });
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}
