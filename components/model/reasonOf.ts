/**
 * What is said of an error in a report: its message, in one line, without what Pulumi's engine puts in front of what a provider
 * said.
 */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .trim()
    .replace(/^(?:Error: )?invocation of \S+ returned an error: /, "")
    .replace(/(:?)\s*[\r\n]\s*(?:- )?/g, (_, colon: string) => (colon === "" ? "; " : ": "));
}

/** A failure whose reason stands apart from what failed, which its message says as well. */
export class ReasonedError extends Error {
  override readonly name = "ReasonedError";
  readonly what: string;
  readonly reason: string;

  constructor(what: string, cause: unknown) {
    const reason = reasonOf(cause);
    super(`${what}: ${reason}`, { cause });
    this.what = what;
    this.reason = reason;
  }
}

/** What a process of this program says when it fails. Whoever started it takes the last line for the reason, and nothing else. */
export function failureLines(error: unknown): string {
  return error instanceof ReasonedError ? `${error.what}:\n${error.reason}` : reasonOf(error);
}

/** Whether an error is one of Node's or the system's with one of these codes: `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
