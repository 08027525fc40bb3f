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

const first = 250;
const longest = 10_000;

/**
 * Milliseconds to wait before the next try, after `tries` failed ones: doubling from 250 ms to 10 s with jitter of
 * half, but never less than the server asked for, to which a tenth of jitter is added.
 * @param random a number from 0 to 1, for the jitter.
 */
export function retryDelay(tries: number, asked: number | undefined, random: number): number {
  const base = Math.min(longest, first * 2 ** (tries - 1));
  return Math.max(base * (0.5 + random / 2), (asked ?? 0) * (1 + random / 10));
}

/**
 * Reads a Retry-After header (RFC 9110, 10.2.3): whole seconds or an HTTP date, into milliseconds from now.
 * Anything else is no wish at all. The date is compared with the answer's own Date header, so that a wrong clock
 * on either side does not matter.
 */
export function parseRetryAfter(value: string | undefined, date: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const sent = date === undefined ? NaN : Date.parse(date);
  const until = /GMT\s*$/.test(value) ? Date.parse(value) - (Number.isNaN(sent) ? Date.now() : sent) : NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until);
}
