import { type FileHandle, open } from "node:fs/promises";
import { ProcessError, runProcess } from "../../components/system/process";
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
  /** Hears each line Pulumi prints. */
  readonly onOutput?: (text: string) => void;
  readonly timeLimitMs?: number;
}

/** How it ended. */
export interface PulumiEnd {
  /** Exit status; null: stopped from here. */
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
const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs the Pulumi CLI. An interrupt of this process and the time limit reach it as SIGINT, upon which it cancels what runs and records what was done.
 * @throws Error when it cannot be started.
 */
export async function runPulumi(command: PulumiCommand): Promise<PulumiEnd> {
  const { program, args, directory, environment, onOutput, timeLimitMs = Infinity } = command;
  const interrupt = new AbortController();
  let received: string | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received ??= `${signal} was received`;
    interrupt.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  let output = "";
  const onLine = (line: string): void => {
    output = `${output}${line}\n`.slice(-keptOutput);
    onOutput?.(`${line}\n`);
  };
  const follower = new EventFollower(command);
  try {
    const { status } = await runProcess(program, args, {
      ...{ directory, environment, onLine, limitMs: timeLimitMs },
      ...{ signal: interrupt.signal, stopSignal: "SIGINT", graceMs },
    });
    return { status, output };
  } catch (error) {
    if (!(error instanceof ProcessError) || error.kind === "start") throw error;
    return { status: null, output, stopped: received ?? error.message };
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    await follower.finish();
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
