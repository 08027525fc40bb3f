import { type ProcessOptions, runProcess } from "../../components/system/process";

/** How long a program may be silent before it is said that it still runs. */
const silenceMs = 15_000;

/**
 * Runs a program and shows its output as it comes, line by line.
 * @param show what to show for a line, if anything; default: the line.
 * @param good exit statuses that are none of a failure.
 * @throws Error with command and exit status when it fails.
 */
export async function runVisibly(
  command: string,
  args: readonly string[],
  options: Pick<ProcessOptions, "directory" | "environment" | "signal">,
  show: (line: string) => string | undefined = (line) => line,
  good: readonly number[] = [0],
): Promise<void> {
  const started = Date.now();
  let last = started;
  const print = (text: string): void => {
    last = Date.now();
    process.stdout.write(`  ${text}\n`);
  };
  const timer = setInterval(() => {
    if (Date.now() - last >= silenceMs) print(`… still at it, ${Math.round((Date.now() - started) / 1000)} s`);
  }, 1000);
  const { status } = await runProcess(command, args, {
    ...options,
    limitMs: Infinity,
    onLine: (line) => {
      const text = show(line);
      if (text !== undefined) print(text);
    },
  }).finally(() => clearInterval(timer));
  if (!good.includes(status)) throw new Error(`${command} ${args.join(" ")} failed (${status}); see above`);
}
