import type { AppSpecification } from "../model/appSpecification";
import { parsePlatform, type Platform } from "../model/platform";
import type { Environment } from "./expandVariables";
import { problemLine, ConfigError } from "./problems";
import { noSuch } from "./noSuch";

const phases = ["all", "build", "publish"] as const;

/** Which part of the work a run does: all of it, only the images of some platforms, or only what follows the images. */
export type Phase = (typeof phases)[number];

/**
 * What one run is asked to do. It comes from the environment and not from the stack configuration, because the same
 * stack is built by several machines and published by another.
 */
export interface RunOptions {
  /** `MIRROR_PHASE`, default `all`. `build` declares only Images, and no index, tag or attestation. */
  readonly phase: Phase;
  /** `MIRROR_PLATFORMS`, comma-separated: the run builds for these only. Undefined: for all. */
  readonly platforms?: readonly Platform[];
  /** `MIRROR_APPS`, comma-separated: the run deals with these only. Undefined: with all of the stack. */
  readonly apps?: readonly string[];
  /** `MIRROR_DIGESTS`: folder with the digest files of build runs. Phase `publish` needs it. */
  readonly digests?: string;
  /** `MIRROR_REPORT`: file to leave what was found and done in, as JSON. */
  readonly report?: string;
  /** `MIRROR_FAILURES`: file with the record of failed builds; versions in it wait. */
  readonly failures?: string;
}

/**
 * Reads the run's options; an empty variable counts as one that is not set.
 * @throws ConfigError with every mistake found.
 */
export function readRunOptions(environment: Environment, apps: readonly AppSpecification[]): RunOptions {
  const problems: string[] = [];
  const known = apps.map((app) => app.name);
  const refuse = (name: string, value: unknown, message: string) =>
    problems.push(problemLine("", [name], value, message));

  const given = environment["MIRROR_PHASE"] || "all";
  const phase = phases.find((name) => name === given);
  if (!phase) refuse("MIRROR_PHASE", given, `accepted is ${phases.join(", ")}`);
  const platforms = list(environment, "MIRROR_PLATFORMS").flatMap((item) => {
    try {
      return [parsePlatform(item)];
    } catch (error) {
      refuse("MIRROR_PLATFORMS", item, (error as Error).message.replace(/^.*; /, ""));
      return [];
    }
  });
  const names = list(environment, "MIRROR_APPS");
  for (const name of names.filter((item) => !known.includes(item)))
    refuse("MIRROR_APPS", name, noSuch("app", name, known));
  const digests = environment["MIRROR_DIGESTS"] || undefined;
  if (phase === "publish" && digests === undefined) {
    refuse("MIRROR_DIGESTS", undefined, "phase publish needs the folder with the digest files of the build runs");
  }
  if (problems.length > 0 || !phase) throw new ConfigError("environment", problems);
  return {
    phase,
    ...(platforms.length > 0 && { platforms: [...new Set(platforms)] }),
    ...(names.length > 0 && { apps: [...new Set(names)] }),
    ...(digests !== undefined && { digests }),
    // MIRROR_RETRY=1 is what somebody who starts a run by hand wants: everything is tried at once.
    ...(environment["MIRROR_FAILURES"] &&
      environment["MIRROR_RETRY"] !== "1" && { failures: environment["MIRROR_FAILURES"] }),
    ...(environment["MIRROR_REPORT"] && { report: environment["MIRROR_REPORT"] }),
  };
}

/** The items of a comma-separated variable. An empty item is kept, to be refused: `,` must not come to mean "all". */
function list(environment: Environment, name: string): readonly string[] {
  const value = environment[name] ?? "";
  return value === "" ? [] : value.split(",").map((item) => item.trim());
}
