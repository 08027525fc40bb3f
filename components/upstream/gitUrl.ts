import { printable } from "./printable";

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const path = /^(\/[A-Za-z0-9._~-]+)+\.git$/;
const accepted = 'accepted is "https://host/path.git" without user, query and fragment ("http://" on loopback only)';

/**
 * Reads the URL of a git repository and brings it into its normal form.
 * Only https, and http on loopback; the path ends in `.git`, as BuildKit demands of http(s) git contexts.
 * @throws Error naming the value and what is accepted.
 */
export function gitUrl(value: string): string {
  const refuse = (problem: string): Error =>
    new Error(`${printable(value, 200)} is no usable git URL: ${problem}; ${accepted}`);
  // The URL parser drops line breaks and tabs without a word, and turns a backslash into a slash.
  if (/[^\x21-\x7e]|\\/.test(value)) throw refuse("it has spaces, backslashes, control or non-ASCII characters");
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url) throw refuse("it cannot be read");
  if (url.username !== "" || url.password !== "") throw new Error(`a git URL carries a user or password; ${accepted}`);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback.test(url.hostname))) {
    throw refuse(`its scheme is ${JSON.stringify(url.protocol)}`);
  }
  if (/[?#]/.test(value)) throw refuse("it has a query or a fragment");
  if (!path.test(url.pathname))
    throw refuse('its path does not end in ".git", or has other characters than A-Z a-z 0-9 . _ ~ -');
  return url.href;
}
