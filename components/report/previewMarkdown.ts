import type { AppReport } from "./appReport";
import { inlineCode, markdownSection, markdownTable } from "./markdown";
import { reportLists, reportPlatforms } from "./reportLists";

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
