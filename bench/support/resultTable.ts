import type { Result } from "./result";
import type { Spread } from "./spread";

const head = ["", "work", "ours", "other", "against", "ratio", "goal", "met"];

/** Results as a Markdown table, and below it the notes. */
export function resultTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.id,
    result.work,
    measured(result.spread.ours, result.unit),
    measured(result.spread.other, result.unit),
    result.against,
    result.ratio.toFixed(2),
    result.goal,
    result.met ? "yes" : "**no**",
  ]);
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(escape).join(" | ")} |`);
  const notes = results.flatMap(({ id, notes: said }) => said.map((note) => `- **${id}**: ${note}`));
  return [...lines, ...(notes.length > 0 ? ["", ...notes] : []), ""].join("\n");
}

/** Median, and the extremes where they differ: `3.1 s (2.9–3.4)`. */
function measured({ median, least, most }: Spread, unit: string): string {
  const number = (value: number): string => (Number.isInteger(value) ? `${value}` : value.toFixed(2));
  return `${number(median)} ${unit}${least === most ? "" : ` (${number(least)}–${number(most)})`}`;
}

function escape(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
