import { displayWidth, safeText } from "../model/safeText";

const widestCell = 60;

/**
 * A table in plain text: columns aligned, two spaces between them, no trailing blanks. Cells are escaped and cut.
 * Columns that would go beyond the width continue in a further block below, which repeats the first column.
 * @param rows the first is the header; all have as many cells.
 * @param width in characters, for the whole line.
 */
export function alignedTable(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => safeText(cell, widestCell)));
  const columns = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ""))));
  return blocks(columns, width).flatMap((chosen, block) => [
    ...(block === 0 ? [] : [""]),
    ...cells.map((row) =>
      chosen
        .map((column) => pad(row[column] ?? "", columns[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
  ]);
}

/** Which columns stand in which block. */
function blocks(columns: readonly number[], width: number): readonly (readonly number[])[] {
  const result: number[][] = [[]];
  let used = 0;
  for (const [column, size] of columns.entries()) {
    if (used > 0 && used + 2 + size > width && (result.at(-1)?.length ?? 0) > 1) {
      result.push([0]);
      used = columns[0] ?? 0;
    }
    result.at(-1)?.push(column);
    used += size + (used > 0 ? 2 : 0);
  }
  return result;
}

function pad(text: string, size: number): string {
  return text + " ".repeat(Math.max(0, size - displayWidth(text)));
}
