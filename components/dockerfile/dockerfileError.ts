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
