import type { AppReport, FloatingReport } from "./appReport";
import type { Platform } from "../model/platform";

const longestList = 20;

/** What stands below an app's table, as lines of unescaped text. */
export interface ReportLists {
  readonly floating: readonly string[];
  readonly notes: readonly string[];
  readonly rejected: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Gathers the remarks of an app and of its versions and platforms. Problems are all listed; of notes and rejected tags,
 * of which upstream can make thousands, the first twenty and how many more there are.
 */
export function reportLists(report: AppReport): ReportLists {
  const ofVersions = report.versions.flatMap(({ version, platforms, notes = [], waits }) => [
    ...[...notes, ...(waits === undefined ? [] : [waits])].map((note) => [version, note] as const),
    ...platforms.flatMap(({ platform, note }) =>
      note === undefined ? [] : [[`${version} ${platform}`, note] as const],
    ),
  ]);
  return {
    floating: report.floating.map(describeMove),
    notes: shortened([...report.notes, ...bySameReason(ofVersions)], "notes"),
    rejected: shortened(
      report.rejected.map(({ tag, reason }) => `${JSON.stringify(clipped(tag))}: ${reason}`),
      "tags",
    ),
    problems: [
      ...report.problems,
      ...bySameReason(
        report.versions.flatMap(({ version, problem }) => (problem === undefined ? [] : [[version, problem]])),
      ),
    ],
  };
}

/** The platforms of an app's versions, in the order in which they first appear. */
export function reportPlatforms(report: AppReport): readonly Platform[] {
  return [...new Set(report.versions.flatMap(({ platforms }) => platforms.map(({ platform }) => platform)))];
}

const namedTogether = 5;

/**
 * `1.1.0, 1.0.0 and 3 more: why`, a line for each reason: what keeps a registry from answering keeps it for all versions. Reasons that
 * differ by nothing but the version are one, with `VERSION` in its place.
 */
export function bySameReason(entries: readonly (readonly [version: string, reason: string])[]): readonly string[] {
  const shared = entries.map(([version, reason]) => reason.replaceAll(version, "VERSION"));
  return [...new Set(shared)].map((text) => {
    const alike = entries.filter((_, position) => shared[position] === text);
    const reasons = [...new Set(alike.map(([, reason]) => reason))];
    const versions = alike.map(([version]) => version);
    const more = versions.length - namedTogether;
    const names = `${versions.slice(0, namedTogether).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    return `${names}: ${reasons.length === 1 ? reasons[0] : text}`;
  });
}

/**
 * `latest: 1.2.2 → 1.2.3`, or why it does not move; `1.1: follows 1.1.0` where that version's own tag is written anew. Of a tag the
 * registry said nothing about nobody knows where it is.
 */
export function describeMove({ tag, from, to, note }: FloatingReport): string {
  if (to !== undefined && to === from) return `${tag}: follows ${clipped(to)}`;
  const stays = from === undefined ? "left as it is" : `stays at ${clipped(from)}`;
  const move = to === undefined ? stays : `${from === undefined ? "new" : clipped(from)} → ${clipped(to)}`;
  return `${tag}: ${move}${note === undefined ? "" : ` (${note})`}`;
}

function shortened(lines: readonly string[], what: string): readonly string[] {
  if (lines.length <= longestList) return lines;
  return [...lines.slice(0, longestList), `and ${lines.length - longestList} more ${what}`];
}

/** A tag may be of any length; the reason behind it must still be seen. Digests stay whole. */
function clipped(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
