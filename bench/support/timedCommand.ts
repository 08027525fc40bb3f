import { runProcess } from "../../components/system/process";
import { watchMemory } from "./watchMemory";
import { type ProcessorSeconds, watchProcessor } from "./watchProcessor";

/** A command that ran to its end. */
export interface TimedCommand {
  readonly seconds: number;
  /** Standard output and standard error. */
  readonly output: string;
  /** Most memory it and its descendants held at once, seen a few times a second; 0 unless asked for. */
  readonly megabytes: number;
  /** What it and its descendants computed, by program; empty unless asked for. */
  readonly processor: ProcessorSeconds;
  /** Seconds until it printed its first line; Infinity: it printed none. */
  readonly firstLine: number;
}

/** How a command is run. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly memory?: boolean;
  readonly processor?: boolean;
}

const limitMs = 1_200_000;

/** Runs a program and takes the time from its start to its end. @throws Error with its output unless it ends with 0. */
export async function timedCommand(argv: readonly string[], options: CommandOptions): Promise<TimedCommand> {
  const [program = "", ...rest] = argv;
  const { cwd, env, stdin } = options;
  const started = performance.now();
  let memory: (() => number) | undefined;
  let processor: (() => ProcessorSeconds) | undefined;
  let output = "";
  let firstLine = Infinity;
  const { status } = await runProcess(program, rest, {
    directory: cwd,
    environment: env,
    input: stdin ?? "",
    limitMs,
    onStart: (pid) => {
      if (options.memory) memory = watchMemory(pid);
      if (options.processor) processor = watchProcessor(pid);
    },
    onLine: (line) => {
      firstLine = Math.min(firstLine, (performance.now() - started) / 1000);
      output += `${line}\n`;
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const megabytes = memory?.() ?? 0;
  const used = processor?.() ?? {};
  if (status === 0) return { seconds, output, megabytes, processor: used, firstLine };
  throw new Error(`${argv.slice(0, 3).join(" ")} … ended with ${status}:\n${output.slice(-4000)}`);
}
