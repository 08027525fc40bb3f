import { alignedTable } from "./alignedTable";
import { type AppResult, type Outcome, outcomeMeanings, problemsOf, type VersionResult } from "./appResult";
import { codeBlock, inlineCode, markdownSection, markdownTable } from "./markdown";
import { bySameReason, describeMove } from "./reportLists";
import { safeText } from "../model/safeText";

const outcomes: readonly Outcome[] = [
  "published",
  "built",
  "repaired",
  "adopted",
  "unchanged",
  "missing",
  "incomplete",
  "unknown",
  "waiting",
  "moved",
  "not ours",
];

/**
 * The run's summary as Markdown, for `$GITHUB_STEP_SUMMARY`: what happened first, what stayed as it was only counted.
 * @param part which part of a run it was, for its title. @param explain whether to say what its words mean.
 */
export function summaryMarkdown(
  results: readonly AppResult[],
  { part, explain = true }: { readonly part?: string; readonly explain?: boolean } = {},
): string {
  const title = part === undefined ? "## Mirror" : `## Mirror: ${part}`;
  const apps = results.map((result) => appSection(result).join("\n\n"));
  return `${[title, `**${totals(results)}**`, ...(explain ? meanings(results) : []), ...apps].join("\n\n")}\n`;
}

/**
 * The same for the terminal.
 * @param width beyond which a table continues in a further block, in characters.
 */
export function summaryText(results: readonly AppResult[], width = 80): string {
  const apps = results.map((result) => {
    const rows = changed(result).map(({ version, outcome, builds }) => [version, outcome, durations(builds)]);
    const lists = [
      ...reasonLines(result),
      ...result.floating.map(describeMove),
      ...result.notes,
      ...problemsOf(result).map((problem) => `PROBLEM ${problem}`),
    ];
    return [
      `${safeText(result.app)} (${safeText(result.repository)}): ${count(result.versions)}`,
      ...(rows.length === 0
        ? []
        : alignedTable([["version", "outcome", "built in"], ...rows], width - 2).map((line) => `  ${line}`)),
      ...lists.map((line) => (line.startsWith("| ") ? `    ${safeText(line)}` : `  - ${safeText(line)}`)),
    ].join("\n");
  });
  return [[totals(results), ...meanings(results).map((line) => `  ${line}`)].join("\n"), ...apps].join("\n\n");
}

function appSection(result: AppResult): readonly string[] {
  const rows = changed(result).map((row) => [
    inlineCode(row.version),
    row.outcome,
    row.platforms.map((platform) => inlineCode(platform)).join(" ") || "-",
    row.builds.length === 0 ? "-" : inlineCode(durations(row.builds)),
    row.digest === undefined ? "-" : inlineCode(row.digest),
  ]);
  const header = ["version", "outcome", "platforms", "built in", "digest"];
  // A column without a word in it is left out.
  const said = header.map((_, column) => rows.some((cells) => cells[column] !== "-"));
  const columns = (cells: readonly string[]): readonly string[] => cells.filter((_, column) => said[column]);
  return [
    `### ${inlineCode(result.app)} in ${inlineCode(result.repository)}`,
    `${count(result.versions)}.`,
    ...(rows.length === 0 ? [] : [markdownTable(columns(header), rows.map(columns))]),
    ...markdownSection("Missing or waiting", reasons(result)),
    ...result.versions.flatMap(({ version, log }) =>
      log ? [codeBlock([`${version} ${log[0] ?? ""}`, ...log.slice(1)])] : [],
    ),
    ...markdownSection("Problems", problemsOf(result)),
    ...markdownSection("Floating tags", result.floating.map(describeMove)),
    ...markdownSection("Notes", result.notes),
    ...commands(result),
  ];
}

/** How to pull and verify the highest version there is; the others go alike. */
function commands({ repository, versions, verify }: AppResult): readonly string[] {
  const example = versions.find(({ digest }) => digest !== undefined);
  if (!example) return [];
  const pull = `docker pull ${repository}:${example.tag}`;
  const check = verify === undefined ? [] : [verify(`${repository}@${example.digest}`)];
  return [codeBlock([pull, ...check])];
}

/** Why versions are missing or wait, and what their builds printed last, once for all of which that is the same. */
function reasonLines({ versions }: AppResult): readonly string[] {
  const said = versions.flatMap(({ version, reason, log = [] }) => {
    if (reason === undefined) return [];
    const lines = [reason, ...log.map((line) => `| ${line}`)];
    return [[safeText(version), lines.map((line) => safeText(line)).join("\n")] as const];
  });
  return bySameReason(said).flatMap((text) => text.split("\n"));
}

function reasons(result: AppResult): readonly string[] {
  return bySameReason(
    result.versions.flatMap(({ version, reason }) => (reason === undefined ? [] : [[version, reason]])),
  );
}

function changed(result: AppResult): readonly VersionResult[] {
  return result.versions.filter(({ outcome }) => outcome !== "unchanged" && outcome !== "adopted");
}

/** What the words of the totals mean. */
function meanings(results: readonly AppResult[]): readonly string[] {
  const met = new Set(results.flatMap(({ versions }) => versions.map(({ outcome }) => outcome)));
  return outcomes.flatMap((outcome) => {
    const meaning = met.has(outcome) ? outcomeMeanings[outcome] : undefined;
    return meaning === undefined ? [] : [`(${outcome}: ${meaning})`];
  });
}

function totals(results: readonly AppResult[]): string {
  const problems = results.reduce((sum, result) => sum + problemsOf(result).length, 0);
  const apps = results.length === 1 ? "1 app" : `${results.length} apps`;
  const more = problems === 0 ? "" : problems === 1 ? ", 1 problem" : `, ${problems} problems`;
  return `${apps}: ${count(results.flatMap((result) => result.versions))}${more}`;
}

function count(versions: readonly VersionResult[]): string {
  const counts = outcomes.map((outcome) => ({
    outcome,
    number: versions.filter((row) => row.outcome === outcome).length,
  }));
  const present = counts.filter(({ number }) => number > 0);
  return present.length === 0 ? "no versions" : present.map(({ outcome, number }) => `${number} ${outcome}`).join(", ");
}

function durations(builds: VersionResult["builds"]): string {
  return builds.map(({ platform, seconds }) => `${platform} ${duration(seconds)}`).join(", ") || "-";
}

/** `42 s`, `4 min 12 s`, `2 h 5 min`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
