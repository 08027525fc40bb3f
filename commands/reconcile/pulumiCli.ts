import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import { type EngineEvent, EngineEventReader } from "./engineEvents";

/** What a Pulumi command is run with. */
export interface PulumiCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** File Pulumi writes its event log to; its events are heard while it grows. */
  readonly events?: string;
  readonly onEvent?: (event: EngineEvent) => void;
  /** Hears of each piece Pulumi prints. */
  readonly onOutput?: (text: string) => void;
  readonly timeLimitMs?: number;
}

/** How it ended. */
export interface PulumiEnd {
  /** Exit status; null: killed. */
  readonly status: number | null;
  /** Last part of what it printed. */
  readonly output: string;
  /** Why it was stopped from here. */
  readonly stopped?: string;
}

const keptOutput = 64 * 1024;
const pollMs = 250;
/** Pulumi and its providers get so long to end a build and write the state; then they are killed. */
const graceMs = 60_000;

/**
 * Runs the Pulumi CLI by argument vector, in a process group of its own. An interrupt of this process and the time limit
 * reach it as SIGINT, upon which it cancels what runs and records what was done.
 * @throws Error when it cannot be started.
 */
export async function runPulumi(command: PulumiCommand): Promise<PulumiEnd> {
  const child = spawn(command.program, [...command.args], {
    cwd: command.directory,
    env: command.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const take = (text: string): void => {
    output = (output + text).slice(-keptOutput);
    command.onOutput?.(text);
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  const stopper = new Stopper(child, command.timeLimitMs);
  const follower = new EventFollower(command);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (cause) => reject(new Error(`${JSON.stringify(command.program)} cannot be run`, { cause })));
      child.once("close", resolve);
    });
    return { status, output, ...(stopper.reason !== undefined && { stopped: stopper.reason }) };
  } finally {
    stopper.release();
    await follower.finish();
  }
}

/** Stops the child when this process is told to end, or time is up. */
class Stopper {
  reason: string | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly onSignal = (signal: NodeJS.Signals): void => this.stop(`${signal} was received`);

  constructor(
    private readonly child: ChildProcess,
    limitMs: number | undefined,
  ) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, this.onSignal);
    if (limitMs !== undefined)
      this.timers.push(setTimeout(() => this.stop(`no end within ${Math.round(limitMs / 60_000)} min`), limitMs));
  }

  private stop(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.child.kill("SIGINT");
    this.timers.push(setTimeout(() => this.kill(), graceMs));
  }

  private kill(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }

  release(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.onSignal);
    // Language host and providers end with the CLI, except when it was killed.
    if (this.reason !== undefined) this.kill();
  }
}

/** Reads the event log as it grows. */
class EventFollower {
  private readonly reader = new EngineEventReader();
  private readonly decoder = new TextDecoder();
  private readonly timer: NodeJS.Timeout;
  private file: FileHandle | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly command: PulumiCommand) {
    this.timer = setInterval(() => this.look(), pollMs);
  }

  private look(): void {
    this.turn = this.turn.then(() => this.read());
  }

  private async read(): Promise<void> {
    const { events, onEvent } = this.command;
    if (events === undefined || !onEvent) return;
    this.file ??= await open(events).catch(() => undefined);
    if (!this.file) return;
    const buffer = Buffer.alloc(256 * 1024);
    for (;;) {
      const { bytesRead } = await this.file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      this.reader.read(this.decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).forEach(onEvent);
    }
  }

  async finish(): Promise<void> {
    clearInterval(this.timer);
    this.look();
    await this.turn;
    await this.file?.close();
  }
}
