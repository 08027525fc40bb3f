import type { AttestConfig } from "./attestConfig";
import type { AppSpecification, Keep } from "../model/appSpecification";
import type { Platform } from "../model/platform";
import type { Builder } from "./builder";
import type { CacheConfig } from "./cacheConfig";
import type { RepositoryOverride } from "../model/gitRepository";

/** What the stack configuration says about one app, beyond the app's own file. */
export interface AppOverrides {
  readonly keep?: Keep;
  readonly platforms?: readonly Platform[];
  readonly repository?: RepositoryOverride;
  /** Address, without a slash at the end, that takes the place of scheme and host of the files upstream publishes. */
  readonly filesFrom?: string;
  /** Versions that are not mirrored, as the mirror writes them: `1.2.3`, or eight hex digits. */
  readonly exclude: readonly string[];
  /** Releases younger than this many hours wait. */
  readonly minimumReleaseAgeHours?: number;
}

/** An app as the stack has it: its own file, with what the stack puts in its place. */
export interface ConfiguredApp {
  readonly specification: AppSpecification;
  readonly overrides: AppOverrides;
}

/** The stack configuration, checked. Everything in it may be used in a reference or a resource input as it is. */
export interface MirrorConfig {
  /** Host with optional port: `ghcr.io`, `localhost:5000`. */
  readonly registry: string;
  /** Path within the registry under which every app has its repository. */
  readonly namespace: string;
  /** Platforms of every app that does not name its own, in normal form, in the order written. */
  readonly platforms: readonly Platform[];
  readonly keep: Keep;
  /** The apps to mirror, by name. Pulumi hands a map over in alphabetical order, a list as it was written. */
  readonly apps: ReadonlyMap<string, ConfiguredApp>;
  /** All other apps of this project, by name: one may still be the base of one that is mirrored. Not a key of its own. */
  readonly unmirrored: ReadonlyMap<string, ConfiguredApp>;
  /** Name of the buildx builder, or one per platform. */
  readonly builder: Builder;
  readonly cache: CacheConfig;
  /** Apps whose package does not exist yet in a registry that answers 403 instead of 404 for that. */
  readonly newPackages: readonly string[];
  /** Whether `latest` and its like are written at all. */
  readonly floatingTags: boolean;
  /** How images are signed and attested. */
  readonly attest: AttestConfig;
}
