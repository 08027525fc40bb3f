import { alignedTable } from "./alignedTable";
import { type AppReport, type ReportState, stateMeanings, type VersionReport } from "./appReport";
import { reportLists, reportPlatforms } from "./reportLists";
import { safeText } from "../model/safeText";
import { inlineCode, markdownSection, markdownTable } from "./markdown";

/**
 * The preview as plain text: for each app a table of versions and platforms, what its words mean where they appear first, the floating tags that move, notes,
 * rejected tags and problems; a line for an app with nothing to do. Nothing in it can start a command of whatever prints it.
 * @param width beyond which a table continues in a further block, in characters.
 */
export function previewText(reports: readonly AppReport[], width = 80): string {
  const explained = new Set<ReportState>();
  const texts = reports.map((report) =>
    (isUnchanged(report) ? unchangedText(report) : appText(report, width, explained)).join("\n"),
  );
  return texts.join("\n\n");
}

const settled: readonly ReportState[] = ["published", "adopted", "-"];

/** Whether there is nothing to do about an app, and nothing wrong with it. */
function isUnchanged({ versions, floating, problems }: AppReport): boolean {
  const isSettled = ({ state, platforms, problem, waits, notes = [] }: VersionReport): boolean =>
    [state, ...platforms.map((platform) => platform.state)].every((each) => settled.includes(each)) &&
    (problem ?? waits) === undefined &&
    notes.length === 0;
  return versions.length > 0 && floating.length + problems.length === 0 && versions.every(isSettled);
}

function unchangedText(report: AppReport): readonly string[] {
  const { app, repository, versions, rejected } = report;
  const names = versions.map(({ version }) => version);
  const range = names.length === 1 ? names[0] : `${names.at(-1)} to ${names[0]}`;
  const apart = rejected.length === 0 ? "" : `; tags that are not mirrored: ${rejected.length}`;
  const count = versions.length === 1 ? "1 version" : `all ${versions.length} versions`;
  return [
    `${safeText(app)} (${safeText(repository)}): ${count} published, ${safeText(range ?? "")}${apart}`,
    ...section("notes", reportLists(report).notes),
  ];
}

function appText(report: AppReport, width: number, explained: Set<ReportState>): readonly string[] {
  const { floating, notes, rejected, problems } = reportLists(report);
  return [
    `${safeText(report.app)} (${safeText(report.repository)})`,
    ...(report.versions.length === 0
      ? ["  no versions"]
      : table(report, width - 2).map((line) => (line === "" ? "" : `  ${line}`))),
    ...meanings(report, explained).map((line) => `  ${line}`),
    ...section("floating tags", floating),
    ...section("notes", notes),
    ...section("tags that are not mirrored", rejected),
    ...section("problems", problems),
  ];
}

/** The words of the table that nobody has explained yet. */
function meanings({ versions }: AppReport, explained: Set<ReportState>): readonly string[] {
  const words = versions.flatMap(({ state, platforms }) => [state, ...platforms.map((platform) => platform.state)]);
  return [...new Set(words)].flatMap((word) => {
    const meaning = explained.has(word) ? undefined : stateMeanings[word];
    explained.add(word);
    return meaning === undefined ? [] : [`(${word}: ${meaning})`];
  });
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
  const explained = new Set<ReportState>();
  const apps = reports.map((report) => [...appMarkdown(report), ...meanings(report, explained)].join("\n\n"));
  return `${apps.join("\n\n")}\n`;
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
