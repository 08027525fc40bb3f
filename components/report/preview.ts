import { alignedTable } from "./alignedTable";
import type { AppReport } from "./appReport";
import { reportLists, reportPlatforms } from "./reportLists";
import { safeText } from "../model/safeText";
import { inlineCode, markdownSection, markdownTable } from "./markdown";

/**
 * The preview as plain text: for each app a table of versions and platforms, the floating tags that move, notes,
 * rejected tags and problems. Nothing in it can start a command of whatever prints it.
 * @param width beyond which a table continues in a further block, in characters.
 */
export function previewText(reports: readonly AppReport[], width = 120): string {
  return reports.map((report) => appText(report, width).join("\n")).join("\n\n");
}

function appText(report: AppReport, width: number): readonly string[] {
  const { floating, notes, rejected, problems } = reportLists(report);
  return [
    `${safeText(report.app)} (${safeText(report.repository)})`,
    ...(report.versions.length === 0
      ? ["  no versions"]
      : table(report, width - 2).map((line) => (line === "" ? "" : `  ${line}`))),
    ...section("floating tags", floating),
    ...section("notes", notes),
    ...section("tags that are not mirrored", rejected),
    ...section("problems", problems),
  ];
}

function table(report: AppReport, width: number): readonly string[] {
  const platforms = reportPlatforms(report);
  // A column that only repeats the version is left out.
  const tags = report.versions.some(({ version, tag }) => version !== tag);
  const header = ["version", ...(tags ? ["tag"] : []), "state", ...platforms];
  const rows = report.versions.map((row) => [
    row.version,
    ...(tags ? [row.tag] : []),
    row.state,
    ...platforms.map((platform) => row.platforms.find((entry) => entry.platform === platform)?.state ?? "-"),
  ]);
  return alignedTable([header, ...rows], width);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`  ${title}:`, ...lines.map((line) => `    - ${safeText(line)}`)];
}

/** The preview as Markdown, for a job summary or a comment: the same content as the plain text, escaped for Markdown. */
export function previewMarkdown(reports: readonly AppReport[]): string {
  return `${reports.map((report) => appMarkdown(report).join("\n\n")).join("\n\n")}\n`;
}

function appMarkdown(report: AppReport): readonly string[] {
  const { floating, notes, rejected, problems } = reportLists(report);
  const platforms = reportPlatforms(report);
  const rows = report.versions.map(({ version, tag, state, platforms: entries }) => [
    inlineCode(version),
    inlineCode(tag),
    state,
    ...platforms.map((platform) => entries.find((entry) => entry.platform === platform)?.state ?? "-"),
  ]);
  const header = ["version", "tag", "state", ...platforms.map((platform) => inlineCode(platform))];
  return [
    `### ${inlineCode(report.app)} in ${inlineCode(report.repository)}`,
    rows.length === 0 ? "No versions." : markdownTable(header, rows),
    ...markdownSection("Problems", problems),
    ...markdownSection("Floating tags", floating),
    ...markdownSection("Notes", notes),
    ...markdownSection("Tags that are not mirrored", rejected),
  ];
}
