import { officialChanges, type OfficialSeen } from "../decide/officialChanges";
import { platformEntries, platformsIn } from "../model/platform";
import type { OfficialPlatforms } from "../model/published";
import { referenceParts } from "../model/reference";
import type { Release } from "../model/release";
import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import type { PlanEdges, PlatformImage } from "./planEdges";

/** What upstream's own images of the window hold. */
export interface OfficialWatch {
  /** To be recorded: what was seen now, and else before. */
  readonly platforms: OfficialPlatforms;
  /** What upstream did about platforms, a line each. */
  readonly changes: readonly string[];
}

/** What {@link watchOfficial} goes by. */
export interface WatchRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  readonly window: readonly Release[];
  readonly recorded: OfficialPlatforms;
  /** Nothing of the app is to be built: reading an image, which takes its time, keeps nothing waiting. */
  readonly idle: Promise<boolean>;
}

/** Upstream's image of one version, as it was found. */
interface Look extends OfficialSeen {
  readonly images?: readonly PlatformImage[];
  readonly fault?: string;
}

/**
 * Looks at upstream's own image of every version of the window: one request each. The programs of the highest are looked at too, where
 * the app is idle. Nothing where the app names no image, or the run only builds.
 * What cannot be looked up is left out: it says nothing. Rejects only with `idle`.
 */
export async function watchOfficial(
  { specification, settings, window, recorded, idle }: WatchRequest,
  edges: Pick<PlanEdges, "probe" | "run" | "now" | "misfits">,
): Promise<OfficialWatch | undefined> {
  const { official } = specification;
  if (!official || edges.run.phase === "build") return undefined;
  const looks = await Promise.all(
    window.map(async (release): Promise<Look | undefined> => {
      const name = referenceOf(official, release);
      if (name === undefined) return undefined;
      const probe = await edges.probe(name, { skipChildren: true });
      if (probe.state === "unknown") return undefined;
      const { version, publishedAt } = release;
      const about = { version, ...(publishedAt !== undefined && { publishedAt }) };
      if (probe.state === "absent") return about;
      const wrong = platformsIn(probe.misdescribed);
      return {
        ...about,
        platforms: platformsIn({ ...probe.platforms, ...probe.misdescribed }),
        images: platformEntries(probe.platforms)
          .filter(([platform]) => settings.platforms.includes(platform) && edges.run.covers(platform))
          .map(([platform, digest]) => ({ repository: referenceParts(name).name, digest, platform })),
        ...(wrong.length > 0 && {
          fault: `upstream's image of ${version} lists ${wrong.join(", ")} in a way that nobody can pull it by`,
        }),
      };
    }),
  );
  const seen = looks.filter((look) => look !== undefined);
  const now = seen.flatMap(({ version, platforms }) => (platforms ? [[version, platforms] as const] : []));
  const known = new Set(window.map(({ version }) => version));
  const kept = Object.entries(recorded).filter(([version]) => known.has(version));
  return {
    platforms: { ...Object.fromEntries(kept), ...Object.fromEntries(now) },
    changes: [
      ...officialChanges(seen, { wanted: settings.platforms, recorded, now: edges.now }),
      ...seen.flatMap(({ fault }) => fault ?? []),
      ...((await idle) ? await misfits(seen, specification, edges) : []),
    ],
  };
}

/** What the highest version's images hold that does not fit their platforms, a line each. */
async function misfits(
  seen: readonly Look[],
  { name, foreign }: AppSpecification,
  edges: Pick<PlanEdges, "misfits">,
): Promise<readonly string[]> {
  const highest = seen.find(({ images }) => images !== undefined);
  const lines = (highest?.images ?? []).map(async (image) => {
    const [problem, ...more] = await edges.misfits(name, { ...image, ...(foreign && { foreign }) });
    const rest = more.length > 0 ? `, and ${more.length} more` : "";
    return problem === undefined
      ? []
      : [`upstream's image of ${highest?.version} is wrong for ${image.platform}: ${problem}${rest}`];
  });
  return (await Promise.all(lines)).flat();
}

/** Undefined: the app's function fails, which is told with the version. */
function referenceOf(official: NonNullable<AppSpecification["official"]>, release: Release): string | undefined {
  try {
    return official.reference(release);
  } catch {
    return undefined;
  }
}
