/*
 * The two ways hostile text is made harmless: `printable` (and `disarmed`, without quotes) for messages, in ASCII, and `safeText`
 * for reports, where letters of all languages stay readable.
 */

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
    .replace(/[^\x20-\x7e]/g, jsonEscape)
    .replace(/::/g, ":\\u003a")
    .replace(/##/g, "#\\u0023");
}

/**
 * JSON of a value that may hold upstream's words, in ASCII and free of marks that CI systems take for commands: whoever reads it as
 * JSON gets the value, and a log that shows it shows it.
 */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).split("\n").map(disarmed).join("\n");
}

/** One UTF-16 code unit as JSON may write it: `\u001b`. */
export function jsonEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const invisible = /(?! )[\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}]/gu;
// `::name` and `##[name]` are workflow commands of GitHub Actions; `<{%…%}>` is colour markup of the Pulumi CLI.
const commands = /:(?=:[A-Za-z])|(?<=^ *):(?=:)|\[(?<=##\[)|\{(?<=<\{)/g;

const shownCharacter = /\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|[^]/gu;

/**
 * Text from anywhere as one line that shows what it is and does nothing: control, formatting, combining and other
 * invisible characters, line breaks among them, and what would start a command of the program that prints it, are
 * written as escapes (`\x1b`, `\u{202e}`). Longer text is cut, which an ellipsis shows; an escape is never cut in half.
 * @param longest of the result, in characters.
 */
export function safeText(text: string, longest = 300): string {
  return shortened(escaped(text, longest).replace(commands, escapeCharacter), longest);
}

/** The same for what no program reads for commands, such as a page: `std::string` stays as it is. */
export function visibleText(text: string, longest = 300): string {
  return shortened(escaped(text, longest), longest);
}

/** What comes after cannot be in the result, and a text of megabytes is not worth escaping. */
function escaped(text: string, longest: number): string {
  return text.slice(0, 2 * longest + 2).replace(invisible, escapeCharacter);
}

function shortened(shown: string, longest: number): string {
  return length(shown) <= longest ? shown : `${fitting(shown, longest - 1)}…`;
}

function fitting(text: string, longest: number): string {
  let used = 0;
  const kept = [...text.matchAll(shownCharacter)].map(([part]) => part);
  return kept.filter((part) => (used += length(part)) <= longest).join("");
}

function length(text: string): number {
  return Array.from(text).length;
}

// Wide and full-width characters of https://www.unicode.org/reports/tr11/, and what is kept for more of them.
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/gu;

/** How many columns of a terminal {@link safeText} takes. What combines with what is before it, it has written as escapes. */
export function displayWidth(text: string): number {
  return length(text) + (text.match(wide)?.length ?? 0);
}

/** One character as an escape. */
export function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
