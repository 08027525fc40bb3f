import { displayWidth } from "../../components/model/safeText";

/** Words. What stands in quotes is one, to be copied. */
const words = /(?:"[^"]*"|`[^`]*`|\S)+/g;

/**
 * A line as lines of a terminal: broken at blanks, all but the first indented below its text. No word is cut, so that a reference,
 * a digest or a path can be copied; one that is longer than a line stands on lines of its own.
 * @param columns of the terminal.
 */
export function wrapped(line: string, columns: number): readonly string[] {
  if (displayWidth(line) <= columns) return [line];
  const [, blanks = "", marker] = /^( *)([-|✓✗…] |\()?/.exec(line) ?? [];
  const indent = " ".repeat(blanks.length + (marker?.length ?? 2));
  const fits = (text: string): boolean => displayWidth(text) <= columns;
  const lines: string[] = [];
  let current = "";
  let end = 0;
  const add = (text: string, start: number): void => {
    const longer = current + line.slice(end, start) + text;
    if (current.trim() === "" || fits(longer)) current = longer;
    else {
      lines.push(current);
      current = indent + text;
    }
    end = start + text.length;
  };
  for (const { 0: word, index } of line.matchAll(words)) {
    // What is in quotes and no line can hold is broken like the rest.
    const parts = fits(indent + word) ? [{ 0: word, index: 0 }] : word.matchAll(/\S+/g);
    for (const part of parts) add(part[0], index + part.index);
  }
  return [...lines, current];
}
