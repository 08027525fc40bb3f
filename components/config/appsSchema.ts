import { z } from "zod";
import type { AppSpecification } from "../model/appSpecification";
import type { Platform } from "../model/platform";
import { parsePlatform, acceptedPlatforms } from "../model/platform";
import { acceptedFilesFrom, parseFilesFrom, withFilesFrom } from "./filesFrom";
import { keepSchema } from "./keepSchema";
import type { AppOverrides, ConfiguredApp, MirrorConfig } from "./mirrorConfig";
import { acceptedRepository, parseRepository } from "../model/gitRepository";
import { accepting, boolean, delegate, fields, isRecord, type Schema, text, uniqueList } from "./schemaParts";
import { noSuch } from "./noSuch";

const acceptedApps = '"all", a list of app names, or a map from app name to that app\'s settings';

const platformSchema = text<Platform>(`one of ${acceptedPlatforms.join(", ")}`, parsePlatform);

/** Reads a list of platforms, at least one, none of them twice. */
export const platformsSchema = uniqueList("a list of platforms, at least one", platformSchema, { mayBeEmpty: false });

const versionSchema = text("a version in quotes: X.Y.Z, or the first eight hex digits of a commit", (value) =>
  /^(?:[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{8})$/.test(value) ? value : undefined,
);

const hours: Readonly<Record<string, number>> = { "": 1, h: 1, d: 24, w: 168 };

/** A hundred years: whoever means "never" excludes the version or switches the app off. */
const longestAgeHours = 876_000;

const ageSchema = accepting('a number of hours, or a whole number with h, d or w, such as "12h" or "3d"', (value) => {
  const [, number, unit = ""] = /^([0-9]{1,5})([hdw]?)$/.exec(String(value)) ?? [];
  const valid = number !== undefined && (typeof value === "string" || typeof value === "number");
  const age = valid ? Number(number) * (hours[unit] ?? 1) : undefined;
  return age !== undefined && age <= longestAgeHours ? age : undefined;
});

const overridesSchema = fields("an app's settings", {
  enabled: boolean.optional(),
  keep: keepSchema.optional(),
  platforms: platformsSchema.optional(),
  repository: text(acceptedRepository, parseRepository).optional(),
  filesFrom: text(acceptedFilesFrom, parseFilesFrom).optional(),
  exclude: uniqueList("a list of versions", versionSchema, { mayBeEmpty: true }).optional(),
  minimumReleaseAge: ageSchema.optional(),
});

/** A schema for the name of a known app. */
export function appNameSchema(apps: readonly AppSpecification[]): Schema<string> {
  const known = apps.map((app) => app.name);
  return z.unknown().transform((value, context): string => {
    if (typeof value === "string" && known.includes(value)) return value;
    const message = typeof value === "string" ? noSuch("app", value, known) : `accepted is one of ${known.join(", ")}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** The known apps, each on one of two sides. */
export type SelectedApps = Pick<MirrorConfig, "apps" | "unmirrored">;

/** Reads `apps`: which of the known apps are mirrored, and what differs for each, mirrored or not. */
export function appsSchema(apps: readonly AppSpecification[]): Schema<SelectedApps> {
  const names = uniqueList("a list of app names, at least one", appNameSchema(apps), { mayBeEmpty: false });
  return z.unknown().transform((value, context): SelectedApps => {
    if (value === "all")
      return selected(
        apps,
        apps.map(({ name }) => enabled(name)),
      );
    if (Array.isArray(value)) {
      const listed = delegate(names, value, context);
      return context.issues.length > 0 ? z.NEVER : selected(apps, listed.map(enabled));
    }
    const entries = isRecord(value) ? Object.entries(value) : [];
    const read = entries.map(([name, settings]) => readOverrides(apps, name, settings, context));
    if (context.issues.length > 0) return z.NEVER;
    if (read.some((entry) => entry.enabled)) return selected(apps, read);
    const message =
      entries.length > 0 ? "every app is switched off: enable at least one" : `accepted is ${acceptedApps}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

interface NamedOverrides {
  readonly name: string;
  readonly enabled: boolean;
  readonly overrides: AppOverrides;
}

function enabled(name: string): NamedOverrides {
  return { name, enabled: true, overrides: { exclude: [] } };
}

function readOverrides(
  apps: readonly AppSpecification[],
  name: string,
  settings: unknown,
  context: z.RefinementCtx,
): NamedOverrides {
  const known = apps.map((app) => app.name);
  if (!known.includes(name)) context.addIssue({ code: "custom", message: noSuch("app", name, known), path: [name] });
  // `mattermost:` with nothing behind it is YAML for null, and a natural way to name an app without settings.
  const read = delegate(overridesSchema, settings ?? {}, context, [name]);
  const { enabled = true, exclude = [], minimumReleaseAge, ...rest } = read;
  const age = minimumReleaseAge === undefined ? {} : { minimumReleaseAgeHours: minimumReleaseAge };
  return { name, enabled, overrides: { ...rest, ...age, exclude } as AppOverrides };
}

/** The enabled apps in the order they were named. */
function selected(apps: readonly AppSpecification[], named: readonly NamedOverrides[]): SelectedApps {
  const on = named.filter((entry) => entry.enabled);
  const off = apps.flatMap(({ name }) => {
    if (on.some((entry) => entry.name === name)) return [];
    return [named.find((entry) => entry.name === name) ?? enabled(name)];
  });
  return { apps: configured(apps, on), unmirrored: configured(apps, off) };
}

function configured(
  apps: readonly AppSpecification[],
  chosen: readonly NamedOverrides[],
): ReadonlyMap<string, ConfiguredApp> {
  return new Map(
    chosen.flatMap(({ name, overrides }) =>
      apps
        .filter((app) => app.name === name)
        .map((app) => {
          const { filesFrom } = overrides;
          const specification = filesFrom === undefined ? app : withFilesFrom(app, filesFrom);
          return [name, { specification, overrides }] as const;
        }),
    ),
  );
}
