import { z } from "zod";
import type { AppSpecification } from "../model/appSpecification";
import { type Platform, platformSpellings, parsePlatform, acceptedPlatforms } from "../model/platform";
import { appNameSchema } from "./appsSchema";
import { check, ConfigError } from "./problems";
import type { Environment } from "./readConfig";
import { integer } from "./schemaParts";

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
  /** `MIRROR_KEEP`: how many versions of each app are kept complete, whatever stack and app files say. */
  readonly keep?: number;
  /** `MIRROR_DIGESTS`: folder with the build records of build runs. Phase `publish` needs it. */
  readonly digests?: string;
  /** `MIRROR_RECORDS`: folder in which build records stay until their version is published. Undefined: a corner of the cache folder. */
  readonly records?: string;
  /** `MIRROR_REPORT`: file to leave what was found and done in, as JSON. */
  readonly report?: string;
  /** `MIRROR_FAILURES`: file with the record of failed builds; versions in it wait. */
  readonly failures?: string;
}

const platform = z.enum(platformSpellings, `accepted are ${acceptedPlatforms.join(", ")}`).transform(parsePlatform);

const optionsSchema = (apps: readonly AppSpecification[]) =>
  z
    .object({
      MIRROR_PHASE: z.enum(phases).default("all"),
      MIRROR_PLATFORMS: z.array(platform).exactOptional(),
      MIRROR_APPS: z.array(appNameSchema(apps)).exactOptional(),
      MIRROR_KEEP: integer(1, 1000).exactOptional(),
      MIRROR_DIGESTS: z.string().exactOptional(),
      MIRROR_RECORDS: z.string().exactOptional(),
      MIRROR_REPORT: z.string().exactOptional(),
      MIRROR_FAILURES: z.string().exactOptional(),
    })
    .refine((options) => options.MIRROR_PHASE !== "publish" || options.MIRROR_DIGESTS !== undefined, {
      path: ["MIRROR_DIGESTS"],
      error: "phase publish needs the folder with the build records of the build runs",
      when: () => true,
    });

/**
 * Reads the run's options; an empty variable counts as one that is not set.
 * @throws ConfigError with every mistake found.
 */
export function readRunOptions(environment: Environment, apps: readonly AppSpecification[]): RunOptions {
  const given = Object.entries(environment)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => [name, lists.includes(name) ? items(value) : value] as const);
  const result = check(optionsSchema(apps), Object.fromEntries(given));
  if (!result.success) throw new ConfigError("environment", result.problems);
  const options = result.value;
  return {
    phase: options.MIRROR_PHASE,
    ...(options.MIRROR_PLATFORMS && { platforms: [...new Set(options.MIRROR_PLATFORMS)] }),
    ...(options.MIRROR_APPS && { apps: [...new Set(options.MIRROR_APPS)] }),
    ...(options.MIRROR_KEEP !== undefined && { keep: options.MIRROR_KEEP }),
    ...(options.MIRROR_DIGESTS && { digests: options.MIRROR_DIGESTS }),
    ...(options.MIRROR_RECORDS && { records: options.MIRROR_RECORDS }),
    // MIRROR_RETRY=1 is what somebody who starts a run by hand wants: everything is tried at once.
    ...(options.MIRROR_FAILURES && environment["MIRROR_RETRY"] !== "1" && { failures: options.MIRROR_FAILURES }),
    ...(options.MIRROR_REPORT && { report: options.MIRROR_REPORT }),
  };
}

const lists: readonly string[] = ["MIRROR_PLATFORMS", "MIRROR_APPS"];

/** The items of a comma-separated variable. An empty item is kept, to be refused: `,` must not come to mean "all". */
function items(value = ""): readonly string[] {
  return value.split(",").map((item) => item.trim());
}
