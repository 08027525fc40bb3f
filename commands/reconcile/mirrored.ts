import { z } from "zod";
import { safeText } from "../../components/model/safeText";
import type { AppReport, ReportState } from "../../components/report/appReport";
import type { AppResult } from "../../components/report/appResult";
import type { RunFile } from "../../components/report/runFile";
import { readKept } from "../../components/system/placeWhole";

const schema = z.record(
  z.string(),
  z.object({ repository: z.string(), platforms: z.array(z.string()), versions: z.array(z.string()) }),
);

/**
 * App → what was published, when a run had ended, of the versions and platforms it keeps complete. Nothing is decided by it: it tells
 * what the next run no longer keeps.
 */
export type Mirrored = z.output<typeof schema>;

/** Something of an app that is no longer kept complete, and the sentence about it. */
export interface Departure {
  readonly app: string;
  readonly text: string;
  /** The app itself was taken out. */
  readonly dropped?: true;
}

/** Reads what the last run left. A file that is absent or malformed: nothing, so that nothing is said. */
export function readMirrored(path: string): Mirrored {
  return readKept(path, schema) ?? {};
}

/**
 * What a run no longer keeps complete that the one before it did, in the same registry and namespace. Every sentence holds whatever
 * has become of the registry since.
 * @param wholly the run deals with all apps of the stack. If not, nobody knows of the others whether they belong to it.
 */
export function departures({ apps }: Pick<RunFile, "apps">, before: Mirrored, wholly: boolean): readonly Departure[] {
  const places = new Set(apps.map(placeOf));
  const gone = Object.entries(before).flatMap(([app, { repository }]) =>
    wholly && !apps.some((report) => report.app === app) && places.has(placeOf({ app, repository })) ? [app] : [],
  );
  return [
    ...apps.flatMap((report) => {
      const { app } = report;
      return textsOf(report, before[app]).map((text) => ({ app, text: `${app}: ${text}` }));
    }),
    ...gone.map((app) => ({
      ...{ app, text: `${app}: this stack mirrors it no longer${stays(before[app])}` },
      dropped: true as const,
    })),
  ].map((departure) => ({ ...departure, text: safeText(departure.text) }));
}

function stays(known: Mirrored[string] | undefined): string {
  return known?.versions.length === 0 ? "" : "; what is published of it stays";
}

/** Registry and namespace. */
function placeOf({ app, repository }: Pick<AppReport, "app" | "repository">): string {
  return repository.slice(0, -app.length);
}

function textsOf({ repository, window, versions }: AppReport, before: Mirrored[string] | undefined): readonly string[] {
  if (before?.repository !== repository || !window) return [];
  const left = before.versions.filter((version) => !window.kept.includes(version));
  const withdrawn = left.filter((version) => window.listed?.includes(version) === false);
  const passed = left.filter((version) => !withdrawn.includes(version));
  const wanted = platformsOf(versions);
  const platforms = wanted.length === 0 ? [] : before.platforms.filter((platform) => !wanted.includes(platform));
  return [
    ...(passed.length === 0
      ? []
      : [`no longer among the versions to keep: ${listed(passed)}; what is published stays`]),
    ...(withdrawn.length === 0 ? [] : [`no longer listed by upstream: ${listed(withdrawn)}; what is published stays`]),
    ...(platforms.length === 0 ? [] : [`no longer wanted: ${platforms.join(", ")}; what is published for it stays`]),
  ];
}

const mostNames = 10;

function listed(names: readonly string[]): string {
  const rest = names.length - mostNames;
  return `${names.slice(0, mostNames).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** What the run leaves to the next: of apps it did not deal with, or learnt nothing about, what was known before. */
export function mirroredAfter(
  { apps, results = [] }: Pick<RunFile, "apps" | "results">,
  before: Mirrored,
  wholly: boolean,
): Mirrored {
  const seen = apps.map((report) => {
    const { app } = report;
    const result = results.find((one) => one.app === app);
    return [app, report.window ? mirroredOf(report, result, before[app]) : before[app]] as const;
  });
  const known = Object.entries(before).filter(([app]) => !wholly && !apps.some((report) => report.app === app));
  const entries = [...known, ...seen].flatMap(([app, entry]) => (entry ? [[app, entry] as const] : []));
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function mirroredOf(
  { repository, window, versions }: AppReport,
  result: AppResult | undefined,
  before: Mirrored[string] | undefined,
): Mirrored[string] {
  const there = versions.flatMap(({ version, state, platforms }) => {
    if (window?.kept.includes(version) !== true) return [];
    const ended = result?.versions.find((one) => one.version === version);
    if (ended?.digest !== undefined) return [{ version, platforms: ended.platforms }];
    const seen = platforms.filter((one) => settled.includes(one.state)).map(({ platform }) => platform);
    // Of what the registry says nothing about now, it was there before.
    return seen.length > 0 || (state === "unknown" && before?.versions.includes(version))
      ? [{ version, platforms: seen }]
      : [];
  });
  const kept =
    before?.repository === repository && there.some(({ platforms }) => platforms.length === 0) ? before.platforms : [];
  const wanted = platformsOf(versions);
  const known = new Set<string>([...kept, ...there.flatMap(({ platforms }) => platforms)]);
  return {
    repository,
    platforms: wanted.filter((platform) => known.has(platform)),
    versions: there.map(({ version }) => version),
  };
}

const settled: readonly ReportState[] = ["published", "adopted", "will repair"];

function platformsOf(versions: AppReport["versions"]): readonly string[] {
  return [...new Set(versions.flatMap(({ platforms }) => platforms.map(({ platform }) => platform as string)))];
}
