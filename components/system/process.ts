import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";

/** How a process is run. */
export interface ProcessOptions {
  /** What it is called in messages. Default: the command and its first word. */
  readonly title?: string;
  /** Milliseconds after which it is stopped; Infinity: never. */
  readonly limitMs: number;
  /** Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** What it reads on standard input. Default: nothing. */
  readonly input?: string | Uint8Array;
  /** Most bytes it may write, both streams together. Default 256 MiB. */
  readonly outputLimit?: number;
  /** Of the result; `latin1` keeps bytes apart. Default `utf8`. */
  readonly encoding?: "utf8" | "latin1";
  /** Hears each line as it is written. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Hears of its number. */
  readonly onStart?: (pid: number) => void;
  /** Its output goes where this process's own goes, and is not in the result. */
  readonly visible?: boolean;
  /** Stops it when aborted. */
  readonly signal?: AbortSignal;
  /** How it is asked to stop. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds it has for that before it is killed. Default five seconds: enough to cancel a build elsewhere. */
  readonly graceMs?: number;
}

/** How a process ended by itself. */
export interface ProcessResult {
  /** Exit status; 128 and the signal's number when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why there is no result: no such program, time limit, output limit, aborted; from {@link outputOf} also a status other than 0. */
export type ProcessFailure = "start" | "time" | "output" | "abort" | "status";

/** A process could not be run to its end. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";

  constructor(
    readonly kind: ProcessFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** {@link runProcess}, as something that can be handed in. */
export type RunProcess = (command: string, argv: readonly string[], options: ProcessOptions) => Promise<ProcessResult>;

/**
 * Runs a program to its end: by argument vector, without a shell, in a process group of its own. What it started ends with
 * it, and all of that with this process, however this one ends.
 * @throws ProcessError when it cannot be started or had to be stopped; a status other than 0 is a result.
 */
export const runProcess: RunProcess = async (command, argv, options) => {
  const { directory: cwd, environment: env, input, visible, signal, graceMs = 5_000 } = options;
  const title = titleOf(command, argv, options);
  if (signal?.aborted) throw new ProcessError("abort", `${title} was not begun`);
  const output = visible ? "inherit" : "pipe";
  const child = spawn(command, argv, {
    ...{ cwd, env, detached: true },
    stdio: [input === undefined ? "ignore" : "pipe", output, output],
  });
  if (child.pid !== undefined) {
    tellGuard("+", child.pid);
    options.onStart?.(child.pid);
  }
  let failure: ProcessError | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (kind: ProcessFailure, what: string): void => {
    if (failure) return;
    failure = new ProcessError(kind, `${title} ${what}`);
    child.kill(options.stopSignal ?? "SIGTERM");
    const kill = (): void => {
      killGroup(child);
      // Somebody who left the group may hold them open.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    };
    timers.push(setTimeout(kill, graceMs));
  };
  const collected = collect(child, options, (limit) => stop("output", `wrote more than ${limit} bytes`));
  const abort = (): void => stop("abort", "was stopped");
  signal?.addEventListener("abort", abort, { once: true });
  const limitMs = Math.min(options.limitMs, 2 ** 31 - 1);
  timers.push(setTimeout(() => stop("time", `took longer than ${limitMs / 1000} s`), limitMs));
  // It may end without having read everything; its status tells the story.
  child.stdin?.on("error", () => undefined).end(input);
  try {
    const status = await end(child, command);
    if (failure) throw failure;
    return { status, ...collected() };
  } finally {
    timers.forEach(clearTimeout);
    signal?.removeEventListener("abort", abort);
    if (child.pid !== undefined) tellGuard("-", child.pid);
  }
};

/** Standard output of a process. @throws ProcessError with the end of what it wrote unless it ends with status 0. */
export async function outputOf(command: string, argv: readonly string[], options: ProcessOptions): Promise<string> {
  const { status, stdout, stderr } = await runProcess(command, argv, options);
  if (status === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).slice(-1500) || "it wrote nothing";
  throw new ProcessError("status", `${titleOf(command, argv, options)} ended with status ${status}: ${said}`);
}

function titleOf(command: string, argv: readonly string[], { title }: ProcessOptions): string {
  return title ?? [command, ...argv.slice(0, 1)].join(" ");
}

function end(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new ProcessError("start", `cannot run ${command}: ${cause.message}`, { cause })),
    );
    child.once("exit", () => killGroup(child));
    child.once("close", (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])));
  });
}

function collect(
  child: ChildProcess,
  { onLine, outputLimit = 256 * 1024 * 1024, encoding }: ProcessOptions,
  tooMuch: (limit: number) => void,
): () => Pick<ProcessResult, "stdout" | "stderr"> {
  const pieces: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
  let size = 0;
  for (const stream of ["stdout", "stderr"] as const) {
    const source = child[stream];
    if (!source) continue;
    source.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size > outputLimit) tooMuch(outputLimit);
      else pieces[stream].push(piece);
    });
    if (onLine) createInterface({ input: source, crlfDelay: Infinity }).on("line", (line) => onLine(line, stream));
  }
  const text = (stream: "stdout" | "stderr"): string => Buffer.concat(pieces[stream]).toString(encoding);
  return () => ({ stdout: text("stdout"), stderr: text("stderr") });
}

/** A process that is started elsewhere, in a group of its own, ends with this one too, even in the middle of its work. */
export function endWithThis({ pid }: ChildProcess): void {
  if (pid !== undefined) tellGuard("+", pid);
}

let guard: ChildProcess | undefined;

/** Keeps the list of groups for a process that kills them when this one is gone, by SIGKILL too: the pipe ends with it. */
function tellGuard(sign: "+" | "-", group: number): void {
  guard ??= startGuard();
  guard.stdin?.write(`${sign} ${group}\n`);
}

/** One for all: starting a process copies this one's page tables, which takes its time. */
function startGuard(): ChildProcess {
  const script = `groups=" "
    while read -r sign group; do
      if [ "$sign" = + ]; then groups="$groups$group "; else groups="\${groups%% $group *} \${groups#* $group }"; fi
    done
    for group in $groups; do kill -s KILL -- "-$group"; done`;
  const started = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  started.on("error", () => undefined).unref();
  started.stdin.on("error", () => undefined);
  (started.stdin as typeof started.stdin & { unref(): void }).unref();
  return started;
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
