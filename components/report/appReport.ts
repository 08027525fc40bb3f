import type { AppPlan } from "../decide/appPlan";
import type { Platform } from "../model/platform";

/** How a version, or one platform of it, stands. The words are what the reader sees. */
export type ReportState =
  | "published"
  | "adopted"
  | "will build"
  | "will copy"
  | "will publish"
  | "will repair"
  | "missing"
  | "partial"
  | "incomplete"
  | "unknown"
  | "moved"
  | "not ours"
  | "gone"
  | "not offered"
  | "waiting"
  | "-";

/** What the words mean that do not say it by themselves, for whoever meets them first. */
export const stateMeanings: Partial<Record<ReportState, string>> = {
  adopted: "it was there already and is this mirror's: there is nothing to do about it",
  partial: "published, without all the platforms that are wanted",
  incomplete: "it cannot be made complete now; below is why",
  unknown: "the registry gave no usable answer, so nothing is built and nothing overwritten",
  moved: "the tag names another image than the one this stack published: it is left as it is",
  "not ours": "nothing shows that this mirror made the image for this tag: it is left as it is",
  gone: "its tag was removed after it had left the versions to keep: it stays so",
  "not offered": "upstream has not published what it is built from",
  waiting: "its builds failed, so it is left alone for some hours; --retry, or on GitHub a run by hand, tries at once",
  "will copy": "upstream's own image is taken over as it is",
  "will repair": "its image is there, and the tag is written anew to name it",
};

/** One platform of a version. */
export interface PlatformReport {
  readonly platform: Platform;
  readonly state: ReportState;
  /** A gap or a remark: `unsigned`, `no SBOM`, `upstream publishes it itself`. */
  readonly note?: string;
}

/** One version: a row of the table. */
export interface VersionReport {
  readonly version: string;
  /** Its tag in the mirror. */
  readonly tag: string;
  readonly state: ReportState;
  readonly platforms: readonly PlatformReport[];
  readonly notes?: readonly string[];
  /** Until when it is left alone, and why. */
  readonly waits?: string;
  /** What went wrong in the last of the builds after which it waits. */
  readonly lastFailure?: string;
  /** What that build printed last: platform and step, then lines. */
  readonly lastLog?: readonly string[];
  readonly problem?: string;
  /** When upstream released it, ISO 8601, UTC, where its source says so. */
  readonly released?: string;
}

/** A floating tag that moves, or would if it could. Ends are versions or digests. */
export interface FloatingReport {
  readonly tag: string;
  /** Undefined: the tag does not exist yet. */
  readonly from?: string;
  /** Undefined: it stays where it is. */
  readonly to?: string;
  readonly note?: string;
}

/** An upstream tag that is not mirrored, and why. */
interface RejectedReport {
  readonly tag: string;
  readonly reason: string;
}

/**
 * One app as the preview shows it. All text may come from upstream or a registry: whatever renders a report escapes it.
 */
export interface AppReport {
  readonly app: string;
  /** `registry/namespace/name`. */
  readonly repository: string;
  /** In the order to be shown, highest version first. */
  readonly versions: readonly VersionReport[];
  /** As in the app's plan. */
  readonly window?: AppPlan["window"];
  readonly floating: readonly FloatingReport[];
  readonly rejected: readonly RejectedReport[];
  readonly notes: readonly string[];
  /** Those of the notes that say what upstream did about the platforms of its own image. */
  readonly upstream?: readonly string[];
  readonly problems: readonly string[];
}
