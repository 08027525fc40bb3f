import { ProcessError, runProcess } from "../../components/system/process";

/** A command as the provider's inputs describe it. */
export interface CommandLine {
  /** Handed to the interpreter as its last argument. */
  readonly command: string;
  /** Program and arguments before the command; `/bin/sh -c` when empty. */
  readonly interpreter: readonly string[];
  readonly directory: string | undefined;
  /** Added to the environment of the provider. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Limit in milliseconds; undefined means none. */
  readonly timeout: number | undefined;
  /** Receives each line as it is written. */
  readonly watch: ((stream: "stdout" | "stderr", line: string) => void) | undefined;
}

let everything = new AbortController();

/**
 * Runs one command to its end and returns what it wrote, one trailing newline removed from each stream. On time-out, or when
 * `runCommand.endAll` is called, it is killed with all it started.
 * @throws Error with the exit status or what stopped it, the command and everything it wrote.
 */
export async function runCommand(line: CommandLine): Promise<{ stdout: string; stderr: string }> {
  const { command, interpreter, directory, environment, stdin, timeout = Infinity, watch } = line;
  const [program = "/bin/sh", ...args] = interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"];
  const written: string[] = [];
  const failure = (what: string, options?: ErrorOptions): Error =>
    new Error(`${what}: running ${JSON.stringify(command)}:\n${written.join("")}`, options);
  const { status, stdout, stderr } = await runProcess(program, [...args, command], {
    title: "the command",
    limitMs: timeout,
    environment: { ...process.env, ...environment },
    ...(directory !== undefined && { directory }),
    ...(stdin && { input: stdin }),
    onLine: (text, stream) => {
      written.push(`${text}\n`);
      watch?.(stream, text);
    },
    ...{ signal: everything.signal, stopSignal: "SIGKILL", graceMs: 0 },
  }).catch((cause: unknown) => {
    if (!(cause instanceof ProcessError)) throw cause;
    throw failure(cause.kind === "time" ? `timed out after ${timeout} ms` : cause.message, { cause });
  });
  if (status !== 0) throw failure(`exit status ${status}`);
  return { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
}

/** Kills every command that still runs, with all it started. */
runCommand.endAll = (): void => {
  everything.abort();
  everything = new AbortController();
};
