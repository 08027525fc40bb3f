import type { Platform } from "../model/platform";
import type { FloatingReport } from "./appReport";

/**
 * What a run did about a version. `built`: a build run made its images, which another run publishes; `repaired`: something that had been there was missing and is back, or a platform was
 * added; `waiting`: too young, or left alone after earlier failures; `missing`: not complete, for the reason given.
 */
export type Outcome = "published" | "built" | "repaired" | "adopted" | "unchanged" | "missing" | "waiting" | "not ours";

/** One version after a run. */
export interface VersionResult {
  readonly version: string;
  /** Its tag in the mirror. */
  readonly tag: string;
  readonly outcome: Outcome;
  /** Digest of the index, when it is published. */
  readonly digest?: string;
  readonly platforms: readonly Platform[];
  /** Why it is missing or waits. */
  readonly reason?: string;
  /** When it waits after builds that failed: what went wrong in the last of them. */
  readonly lastFailure?: string;
  /** What was built in this run and how long each took. */
  readonly builds: readonly { readonly platform: Platform; readonly seconds: number }[];
}

/** One app after a run. All text may come from upstream or a registry: whatever renders a result escapes it. */
export interface AppResult {
  readonly app: string;
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly versions: readonly VersionResult[];
  readonly floating: readonly FloatingReport[];
  readonly notes: readonly string[];
  readonly problems: readonly string[];
  /** Command line that verifies the image a reference names; undefined when nothing is signed. */
  readonly verify?: (reference: string) => string;
}
