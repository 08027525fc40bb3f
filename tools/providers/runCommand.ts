import { spawn, type ChildProcess } from "node:child_process";

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
  /** Receives each chunk as it is written. */
  readonly watch: ((stream: "stdout" | "stderr", text: string) => void) | undefined;
}

const running = new Set<ChildProcess>();

/**
 * Runs one command to its end and returns what it wrote, one trailing newline removed from each stream.
 *
 * The command leads a process group of its own: on time-out, or when `runCommand.endAll` is called, the whole group
 * is killed, so nothing it started is left behind. Not components/system/process.ts: a stand-in is translated without the rest
 * of the project, so that it starts fast.
 *
 * @throws Error with the exit status, the command and everything it wrote
 */
export async function runCommand(line: CommandLine): Promise<{ stdout: string; stderr: string }> {
  const [program = "/bin/sh", ...args] = line.interpreter.length > 0 ? line.interpreter : ["/bin/sh", "-c"];
  const child = spawn(program, [...args, line.command], {
    cwd: line.directory,
    env: { ...process.env, ...line.environment },
    stdio: [line.stdin === undefined || line.stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  let timedOut = false;
  const timer = line.timeout === undefined ? undefined : setTimeout(expire, line.timeout);
  function expire(): void {
    timedOut = true;
    killGroup(child);
  }
  try {
    const written = await collect(child, line);
    if (timedOut) {
      throw new Error(`timed out after ${line.timeout} ms: running ${JSON.stringify(line.command)}:\n${written.all}`);
    }
    if (written.failure !== undefined) {
      throw new Error(`${written.failure}: running ${JSON.stringify(line.command)}:\n${written.all}`);
    }
    return { stdout: written.stdout.replace(/\n$/, ""), stderr: written.stderr.replace(/\n$/, "") };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

/** Kills every command that still runs, with all it started. */
runCommand.endAll = (): void => {
  for (const child of running) {
    killGroup(child);
  }
};

interface Written {
  stdout: string;
  stderr: string;
  all: string;
  failure: string | undefined;
}

function collect(child: ChildProcess, line: CommandLine): Promise<Written> {
  const written: Written = { stdout: "", stderr: "", all: "", failure: undefined };
  const take = (stream: "stdout" | "stderr") => (text: string) => {
    written[stream] += text;
    written.all += text;
    line.watch?.(stream, text);
  };
  child.stdout?.setEncoding("utf8").on("data", take("stdout"));
  child.stderr?.setEncoding("utf8").on("data", take("stderr"));
  // A command may end without reading its input; that is its own business.
  child.stdin?.on("error", () => undefined).end(line.stdin);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ ...written, failure: error.message }));
    child.on("close", (status, signal) => {
      const failure = signal !== null ? `signal: ${signal}` : status === 0 ? undefined : `exit status ${status}`;
      resolve({ ...written, failure });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
