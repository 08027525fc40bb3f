import { z } from "zod";

/** One line of `--progress=rawjson`: BuildKit's `client.SolveStatus`, as far as it is read here. */
const solveStatus = z.object({
  vertexes: z
    .array(
      z.object({ digest: z.string(), name: z.string(), started: z.string().optional(), error: z.string().optional() }),
    )
    .optional(),
  logs: z.array(z.object({ vertex: z.string(), stream: z.number(), data: z.string() })).optional(),
});

/** Name of the last step when it is a RUN: `[2/2] RUN …`, `[linux/arm64 2/2] RUN …`. */
const lastRun = /^\[(?:[^\]]* )?(\d+)\/\1\] RUN /;
/** The same where a named context takes the place of FROM: BuildKit counts that among the steps, and not among those done. */
const lastRunOnContext = /^\[(?:[^\]]* )?1\/2\] RUN /;

/** Output kept of one stream, in bytes. BuildKit itself clips at 2 MiB. */
const outputLimit = 2 * 1024 * 1024;
/** Characters kept of what is no progress line: the client's own messages, the last of which is the error. */
const messageLimit = 4000;

/** Collects, line by line, what the last RUN step of a build printed, and how the build ended. */
export class BuildProgress {
  readonly #runs = new Set<string>();
  readonly #output: Record<1 | 2, { chunks: Buffer[]; size: number }> = {
    1: { chunks: [], size: 0 },
    2: { chunks: [], size: 0 },
  };
  readonly #run: RegExp;
  #messages = "";
  #error: string | undefined;

  /** @param onContext a named context takes the place of the image in FROM. */
  constructor(onContext = false) {
    this.#run = onContext ? lastRunOnContext : lastRun;
  }

  /** Takes one line, without its end. A line that is no progress record is kept as a message. */
  add(line: string): void {
    const status = parse(line);
    if (status === undefined) {
      this.#messages = `${this.#messages}${line}\n`.slice(-messageLimit);
      return;
    }
    for (const { digest, name, started, error } of status.vertexes ?? []) {
      if (started && this.#run.test(name)) this.#runs.add(digest);
      // Later errors are those of steps cancelled because of the first.
      if (error) this.#error ??= error;
    }
    for (const { vertex, stream, data } of status.logs ?? []) {
      if (this.#runs.has(vertex)) this.#collect(stream === 2 ? 2 : 1, Buffer.from(data, "base64"));
    }
  }

  /** Standard output, then standard error: the two arrive in pieces whose order among each other means nothing. */
  get output(): string {
    const texts = [this.#output[1], this.#output[2]].map(({ chunks }) => Buffer.concat(chunks).toString("utf8"));
    return texts.filter((text) => text !== "").join(texts[0]?.endsWith("\n") ? "" : "\n");
  }

  /** The failed step's error, else the client's last `ERROR:` line, else all its messages. */
  get error(): string {
    return (
      this.#error ?? this.#messages.split("\n").findLast((line) => line.startsWith("ERROR:")) ?? this.#messages.trim()
    );
  }

  /** Whether the RUN step was begun. */
  get reached(): boolean {
    return this.#runs.size > 0;
  }

  #collect(stream: 1 | 2, data: Buffer): void {
    const kept = this.#output[stream];
    if (kept.size >= outputLimit) return;
    kept.chunks.push(data);
    kept.size += data.length;
  }
}

function parse(line: string): z.infer<typeof solveStatus> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return solveStatus.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
