/**
 * Writes hostile text so that it can be printed anywhere: quoted, one line, printable ASCII only, and at most `limit` characters of it.
 *
 * Besides control characters this disarms what CI systems take for commands in a log (`::set-env …`, `##[group]`, `##vso[…]`).
 * What is inside the quotes is valid JSON for the (shortened) text.
 */
export function printable(text: string, limit = 80): string {
  const shown = text.length > limit ? text.slice(0, limit) : text;
  const quoted = JSON.stringify(shown)
    .replace(/[^\x20-\x7e]/g, escaped)
    .replace(/::/g, ":\\u003a")
    .replace(/##/g, "#\\u0023");
  return text.length > limit ? `${quoted}... (${text.length} characters)` : quoted;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
