import { readFileSync, writeFileSync } from "node:fs";

const begin = "<!-- results -->";
const end = "<!-- end of results -->";

/** Puts a table between the two marks of a file. @throws Error when the file has no such marks. */
export function updateReadme(file: string, table: string): void {
  const text = readFileSync(file, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${JSON.stringify(file)} has no ${begin} followed by ${end}`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${table.trim()}\n\n${text.slice(to)}`);
}
