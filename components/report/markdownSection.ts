import { inlineCode } from "./inlineCode";

/** A bold title and a list of code spans; nothing at all for no lines. */
export function markdownSection(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`**${title}**`, lines.map((line) => `- ${inlineCode(line)}`).join("\n")];
}
