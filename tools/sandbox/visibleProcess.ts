import { type ProcessOptions, runProcess } from "../../components/system/process";

/** How long a program may be silent before it is said that it still runs. */
const silenceMs = 15_000;

/** How a program is run and shown. */
export interface VisibleOptions extends Pick<ProcessOptions, "directory" | "environment" | "signal"> {
  readonly print: (line: string) => void;
  /** What to show for a line, if anything. Default: the line. */
  readonly show?: (line: string) => string | undefined;
  /** Exit statuses that are none of a failure. Default: 0. */
  readonly good?: readonly number[];
}

/**
 * Runs a program and shows its output as it comes, line by line.
 * @throws Error with command and exit status when it fails.
 */
export async function runVisibly(
  command: string,
  args: readonly string[],
  { print, show = (line) => line, good = [0], ...options }: VisibleOptions,
): Promise<void> {
  const started = Date.now();
  let last = started;
  const tell = (line: string): void => {
    last = Date.now();
    print(line);
  };
  const timer = setInterval(() => {
    if (Date.now() - last >= silenceMs) tell(`… still at it, ${Math.round((Date.now() - started) / 1000)} s`);
  }, 1000);
  const { status } = await runProcess(command, args, {
    ...options,
    limitMs: Infinity,
    onLine: (line) => {
      const text = show(line);
      if (text !== undefined) tell(text);
    },
  }).finally(() => clearInterval(timer));
  if (!good.includes(status)) throw new Error(`${command} ${args.join(" ")} failed (${status}); see above`);
}
