import { platformSlug, type Platform } from "../../components/model/platform";
import type { ReadVersion } from "./readVersion";
import type { CatalogueApp, CatalogueEvent, CataloguePlatform } from "./schema";

/** A tag URI (RFC 4151): it names without being an address, and holds no time, so that it stays the same. */
function eventId(repository: string, ...parts: readonly string[]): string {
  return `tag:multiarch-mirror.github.io,2026:${[repository, ...parts].join("/")}`;
}

/**
 * What happened to an app, newest first, out of signed records and of the record of failures: nothing has to be remembered between
 * two runs. What is said of an event may grow, its id never changes.
 */
export function appEvents(
  app: string,
  repository: string,
  versions: readonly ReadVersion[],
  missing: CatalogueApp["missing"],
  failedForGood: ReadonlyMap<string, string>,
): CatalogueEvent[] {
  const published = versions.flatMap((version) => versionEvents(app, repository, version));
  const failed = missing.flatMap(({ version, reason }): CatalogueEvent[] => {
    const at = failedForGood.get(version);
    if (at === undefined) return [];
    const id = eventId(repository, encodeURIComponent(version), "failed");
    const title = `${app} ${version} cannot be built`;
    return [{ id, kind: "failed", version, title, at, page: `${app}/index.html#missing`, detail: reason }];
  });
  return [...published, ...failed].toSorted(newestFirst);
}

/** The order of events, one for the same events. */
export function newestFirst(left: CatalogueEvent, right: CatalogueEvent): number {
  return left.at < right.at ? 1 : left.at > right.at ? -1 : left.id < right.id ? -1 : 1;
}

function versionEvents(app: string, repository: string, read: ReadVersion): readonly CatalogueEvent[] {
  const { version } = read;
  const added = new Set(addedLater(read));
  const first = version.platforms.filter(({ platform }) => !added.has(platform));
  const about = { version: version.version, page: `${app}/${version.tag}/index.html` };
  return [
    {
      id: eventId(repository, version.tag, "published"),
      kind: "published",
      ...about,
      title: `${app} ${version.version} is published`,
      at: earliest(first.map(timeOf)) ?? version.published ?? version.proof.at,
      detail: `For ${first.map(({ platform }) => platform).join(", ")}, as ${version.digest}.`,
    },
    ...version.platforms
      .filter(({ platform }) => added.has(platform))
      .map((one): CatalogueEvent => ({
        id: eventId(repository, version.tag, platformSlug(one.platform as Platform)),
        kind: "platform added",
        ...about,
        title: `${app} ${version.version} is there for ${one.platform}`,
        at: timeOf(one) ?? version.proof.at,
        detail: `As ${one.digest}; the platforms there were keep their digests.`,
      })),
  ];
}

/** Platforms that came into an index others were in before: the mirror record keeps those, or another run built it. */
function addedLater({ version: { platforms }, composition }: ReadVersion): readonly string[] {
  const kept = platforms.filter(({ platform }) => composition.get(platform) === "kept");
  if (kept.length === 0) return [];
  const runs = kept.toSorted((left, right) => ((timeOf(left) ?? "") < (timeOf(right) ?? "") ? -1 : 1));
  const run = runs[0]?.build?.run;
  return platforms
    .filter(({ platform, build }) => {
      if (composition.get(platform) !== "kept") return true;
      return run !== undefined && build?.run !== undefined && build.run !== run;
    })
    .map(({ platform }) => platform);
}

function timeOf({ build, created }: CataloguePlatform): string | undefined {
  if (build) return build.finishedAt;
  const parsed = Date.parse(created ?? "");
  return Number.isNaN(parsed) ? undefined : new Date(parsed).toISOString();
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).toSorted()[0];
}
