import type { AppSpecification, FloatingTagRule, Keep } from "../model/appSpecification";
import type { Platform } from "../model/platform";
import type { AppOverrides, SelectedApps } from "./appsSchema";
import type { RepositoryOverride } from "../model/source";

/** What holds for one app once the stack configuration and the app's own file are put together. */
export interface AppSettings {
  readonly keep: Keep;
  /** Platforms wanted. */
  readonly platforms: readonly Platform[];
  /** Those of them without which a version gets no tag. */
  readonly platformsRequired: readonly Platform[];
  /** The upstream repository to use instead of the app's own. */
  readonly repository?: RepositoryOverride;
  readonly exclude: readonly string[];
  /** Whether images that others published under a wanted tag are taken over; undefined: as the stack says. */
  readonly adopted?: boolean;
  /** How long the build of one image may take. */
  readonly buildLimitSeconds: number;
  /** Zero when a release is taken at once. */
  readonly minimumReleaseAgeHours: number;
  /** Empty when the stack writes no floating tags; `latest` when neither the stack nor the app says anything. */
  readonly floatingTags: readonly FloatingTagRule[];
  /** The tag of a version is written once. */
  readonly immutableTags: boolean;
}

/** What the stack configuration says of apps: of all of them, and of each. */
export interface StackSettings extends SelectedApps {
  readonly platforms: readonly Platform[];
  readonly keep: Keep;
  /** In seconds. */
  readonly buildLimit: number;
  readonly floatingTags: boolean;
  readonly immutableTags: ImmutableTags;
}

/** Which tags a registry lets nobody write again. */
export const immutableTags = ["none", "all", "versions"] as const;
type ImmutableTags = (typeof immutableTags)[number];

/** Rules whose tags are written anew with every version. */
const moving: Readonly<Record<ImmutableTags, readonly FloatingTagRule[]>> = {
  none: [],
  all: ["latest", "major", "minor"],
  versions: ["major", "minor"],
};

/**
 * Resolves an app's settings. The app's entry under `apps` goes before the app's own file, and that before the stack's
 * general setting.
 */
export function appSettings(config: StackSettings, specification: AppSpecification): AppSettings {
  const { name } = specification;
  const overrides: AppOverrides = (config.apps.get(name) ?? config.unmirrored.get(name))?.overrides ?? { exclude: [] };
  const platforms = overrides.platforms ?? specification.platforms ?? config.platforms;
  const required = specification.platformsRequired ?? platforms;
  return {
    keep: overrides.keep ?? specification.keep ?? config.keep,
    platforms,
    platformsRequired: platforms.filter((platform) => required.includes(platform)),
    ...(overrides.repository && { repository: overrides.repository }),
    exclude: overrides.exclude,
    ...(overrides.adopted !== undefined && { adopted: overrides.adopted }),
    buildLimitSeconds: overrides.buildLimit ?? config.buildLimit,
    minimumReleaseAgeHours: overrides.minimumReleaseAgeHours ?? 0,
    floatingTags: (config.floatingTags ? (specification.floatingTags ?? ["latest"]) : []).filter(
      // One that cannot follow would name an old version for ever.
      (rule) => !moving[config.immutableTags].includes(rule),
    ),
    immutableTags: config.immutableTags !== "none",
  };
}
