import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Lines in which the Pulumi CLI says where it found its plugins, which is what the sandbox arranged. */
const noise = /\bwarning:.*\busing pulumi-[\w-]+ from \$PATH\b/;

/** How a program is run for people to watch. */
export interface VisibleOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the program (SIGTERM) when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program and shows its output line by line, as it comes.
 * @throws Error with command and exit status when it fails.
 */
export async function runVisibly(command: string, args: readonly string[], options: VisibleOptions): Promise<void> {
  const { cwd, env, signal } = options;
  const child = spawn(command, args, { cwd, env, signal, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (!noise.test(line)) process.stdout.write(`  ${line}\n`);
    });
  }
  const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killed) => resolve(code ?? killed));
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed (${status}); see above`);
}

/** Runs a program for its standard output. */
export async function runQuietly(command: string, args: readonly string[], options: VisibleOptions): Promise<string> {
  return (await run(command, [...args], { ...options, maxBuffer: 1 << 28 })).stdout;
}
