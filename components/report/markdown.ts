import { escapeCharacter, safeText } from "../model/safeText";

/**
 * Text from anywhere as a Markdown code span that also holds in a table cell. In a code span no link, mention, image,
 * HTML or emphasis comes to life; what could end the span or the cell, or would be alive in a careless renderer, is
 * escaped on top. The `@` of a digest stays, so that references can be copied.
 */
export function inlineCode(text: string, longest?: number): string {
  return text === "" ? "(empty)" : `\`${markdownSafe(text, longest)}\``;
}

/** Lines as a fenced code block. */
export function codeBlock(lines: readonly string[]): string {
  return ["```console", ...lines.map((line) => markdownSafe(line, 1000)), "```"].join("\n");
}

function markdownSafe(text: string, longest?: number): string {
  return safeText(text, longest).replace(/[`|<>]|@(?!sha256:[0-9a-f]{16,64}(?![0-9a-f]))/g, escapeCharacter);
}

/** A bold title and a list of code spans; nothing at all for no lines. */
export function markdownSection(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`**${title}**`, lines.map((line) => `- ${inlineCode(line)}`).join("\n")];
}

/** A GitHub-flavoured table. The cells are Markdown already: foreign text must have gone through `inlineCode`. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
