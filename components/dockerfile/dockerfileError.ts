/** Characters and comparisons. Of 8,000 real Dockerfiles none takes a hundredth of it, and it is spent in less than a second. */
const mostSteps = 5_000_000;

/**
 * What the expansion of one Dockerfile's words may cost: each line may double the values of the one before, and a pattern
 * may be tried at each place of a value.
 */
export class Effort {
  private spent = 0;

  constructor(private readonly most = mostSteps) {}

  /** @throws EffortError when it is used up. */
  spend(steps: number): void {
    this.spent += steps;
    if (this.spent <= this.most) return;
    throw new EffortError(`the expansion of variables takes more than ${this.most} steps`);
  }
}

/** Reading takes more than is accepted. Unlike malformed text it must never be read as something else. */
export class EffortError extends Error {
  override readonly name = "EffortError";
}

/** A Dockerfile that cannot be read, or cannot be built for the wanted platforms. The message names file and line. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
  readonly path: string;
  /** Line of the instruction, counted from 1. */
  readonly line: number;

  constructor(path: string, line: number, problem: string, options?: ErrorOptions) {
    super(`${JSON.stringify(path)} line ${line}: ${problem}`, options);
    this.path = path;
    this.line = line;
  }
}
