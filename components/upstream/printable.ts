/**
 * Writes hostile text so that it can be printed anywhere: quoted, in one line of printable ASCII, at most `limit` characters of it.
 * What is inside the quotes is valid JSON for the (shortened) text.
 */
export function printable(text: string, limit = 80): string {
  const quoted = disarmed(JSON.stringify(text.slice(0, limit)));
  return text.length > limit ? `${quoted}... (${text.length} characters)` : quoted;
}

/**
 * Makes text of ours that may hold upstream's words printable: control and non-ASCII characters are written as `\uXXXX`,
 * and so are marks that CI systems take for commands in a log (`::set-env …`, `##[group]`, `##vso[…]`). Harmless text stays as it is.
 */
export function disarmed(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, escaped)
    .replace(/::/g, ":\\u003a")
    .replace(/##/g, "#\\u0023");
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
