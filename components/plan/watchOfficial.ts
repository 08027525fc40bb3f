import { officialChanges, type OfficialSeen } from "../decide/officialChanges";
import { platformsIn } from "../model/platform";
import type { OfficialPlatforms } from "../model/published";
import type { Release } from "../model/release";
import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import type { PlanEdges } from "./planEdges";

/** What upstream's own images of the window hold. */
export interface OfficialWatch {
  /** To be recorded: what was seen now, and else before. */
  readonly platforms: OfficialPlatforms;
  /** What upstream did about platforms, a line each. */
  readonly changes: readonly string[];
}

/**
 * Looks at upstream's own image of every version of the window: one request each. Nothing where the app names none, or the run only builds.
 * What cannot be looked up is left out: it says nothing. Never rejects.
 */
export async function watchOfficial(
  { specification, settings }: { readonly specification: AppSpecification; readonly settings: AppSettings },
  window: readonly Release[],
  recorded: OfficialPlatforms,
  edges: Pick<PlanEdges, "probe" | "run" | "now">,
): Promise<OfficialWatch | undefined> {
  const { official } = specification;
  if (!official || edges.run.phase === "build") return undefined;
  const looks = await Promise.all(
    window.map(async (release): Promise<(OfficialSeen & { readonly fault?: string }) | undefined> => {
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
    ],
  };
}

/** Undefined: the app's function fails, which is told with the version. */
function referenceOf(official: NonNullable<AppSpecification["official"]>, release: Release): string | undefined {
  try {
    return official.reference(release);
  } catch {
    return undefined;
  }
}
