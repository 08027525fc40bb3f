import type { UnwrittenTag } from "../declare/appOutcome";
import type { Platform } from "../model/platform";
import { type FloatingReport, stateMeanings } from "./appReport";

/**
 * What a run did about a version. `built`: a build run made its images, which another run publishes; `repaired`: something that had
 * been there was missing and is back, or a platform was added; `waiting`: left alone after earlier failures, or until upstream has what it needs; `missing`: not published,
 * `incomplete`: published, but not whole or not fully signed, both for the reason given; `unknown`: the registry did not say.
 */
export type Outcome =
  | "published"
  | "built"
  | "repaired"
  | "adopted"
  | "unchanged"
  | "missing"
  | "incomplete"
  | "unknown"
  | "waiting"
  | "moved"
  | "not ours";

/** What the words mean that do not say it by themselves, for whoever meets them first. */
export const outcomeMeanings: Partial<Record<Outcome, string>> = {
  built: "its images are pushed and checked; the version gets its tag when all are, from a run that publishes",
  repaired: "something that had been there, or is newly wanted, was added",
  adopted: stateMeanings.adopted ?? "",
  incomplete: "it is published, but not all of what is wanted of it",
  unknown: stateMeanings.unknown ?? "",
  waiting: "it is left alone until the time given, or until upstream has what it needs",
  moved: stateMeanings.moved ?? "",
  "not ours": stateMeanings["not ours"] ?? "",
};

/** The outcomes after which a version is as it should be. */
export const goodOutcomes: readonly Outcome[] = ["published", "repaired", "adopted", "unchanged"];

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
  /** What the build that failed last printed last: platform and step, then lines. */
  readonly log?: readonly string[];
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
  /** Of the app itself; {@link problemsOf} has all. */
  readonly problems: readonly string[];
  readonly unwritten?: readonly UnwrittenTag[];
  /** Command line that verifies the image a reference names; undefined when nothing is signed. */
  readonly verify?: (reference: string) => string;
}

/** All that went wrong with an app besides its versions. */
export function problemsOf({ problems, unwritten = [] }: AppResult): readonly string[] {
  return [...problems, ...unwritten.map(({ problem }) => problem)];
}
