import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a program may be silent before it is said that it still runs. */
const silenceMs = 15_000;

/** How a program is run for people to watch. */
export interface VisibleOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the program (SIGTERM) when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program and shows its output as it comes, line by line.
 * @param show what to show for a line, if anything; default: the line.
 * @throws Error with command and exit status when it fails.
 */
export async function runVisibly(
  command: string,
  args: readonly string[],
  options: VisibleOptions,
  show: (line: string) => string | undefined = (line) => line,
): Promise<void> {
  const { cwd, env, signal } = options;
  const started = Date.now();
  let last = started;
  const print = (text: string): void => {
    last = Date.now();
    process.stdout.write(`  ${text}\n`);
  };
  const child = spawn(command, args, { cwd, env, signal, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      const text = show(line);
      if (text !== undefined) print(text);
    });
  }
  const timer = setInterval(() => {
    if (Date.now() - last >= silenceMs) print(`… still at it, ${Math.round((Date.now() - started) / 1000)} s`);
  }, 1000);
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killed) => resolve(code ?? killed));
  }).finally(() => clearInterval(timer));
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${status}); see above`);
}

/** Runs a program for its standard output. */
export async function runQuietly(command: string, args: readonly string[], options: VisibleOptions): Promise<string> {
  return (await run(command, [...args], { ...options, maxBuffer: 1 << 28 })).stdout;
}
