import { RegistryError } from "./registryError";

/** What is known about one origin (scheme, host, port) from the requests so far. Times are milliseconds of one clock. */
export class OriginHealth {
  readonly #limit: number;
  readonly #restMs: number;
  #notBefore = 0;
  #failures = 0;
  #last: { readonly error: RegistryError; readonly at: number } | undefined;

  /**
   * @param limit after so many questions in a row that ended without an answer the origin counts as dead …
   * @param restMs … for this long.
   */
  constructor(limit: number, restMs: number) {
    this.#limit = limit;
    this.#restMs = restMs;
  }

  /** How long the origin still wants to be left alone. */
  pause(now: number): number {
    return Math.max(0, this.#notBefore - now);
  }

  holdBack(until: number): void {
    this.#notBefore = Math.max(this.#notBefore, until);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Records a question given up, and returns its error with the number of tries. */
  gaveUp(error: RegistryError, tries: number, now: number): RegistryError {
    // An answer that arrived but makes no sense says nothing against the origin being alive.
    if (error.kind === "malformed" || error.kind === "authorisation") return error;
    this.#failures++;
    this.#last = { error, at: now };
    const { status } = error;
    const message = tries === 1 ? error.message : `${error.message} (after ${tries} tries)`;
    return new RegistryError(error.kind, message, { cause: error.cause, ...(status !== undefined && { status }) });
  }

  tooLong(host: string, pauseMs: number): RegistryError {
    const seconds = Math.ceil(pauseMs / 1000);
    return new RegistryError(
      "rate-limited",
      `${host} asks to be left alone for ${seconds} s, longer than retrying may take`,
    );
  }

  /** @throws RegistryError with the last error's kind, while the origin counts as dead. */
  refuseIfDead(host: string, now: number): void {
    if (this.#failures < this.#limit || !this.#last || now > this.#last.at + this.#restMs) return;
    const { error } = this.#last;
    const message = `${host} not asked: ${this.#failures} questions in a row had no answer, the last one: ${error.message}`;
    throw new RegistryError(error.kind, message, { cause: error });
  }
}
