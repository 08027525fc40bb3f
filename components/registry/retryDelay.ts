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
