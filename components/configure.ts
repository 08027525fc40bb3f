import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "./config/configError";
import type { MirrorConfig } from "./config/mirrorConfig";
import { readConfig } from "./config/readConfig";
import { type RunOptions, readRunOptions } from "./config/runOptions";
import { stackConfig } from "./config/stackConfig";
import type { AppSpecification } from "./plan/appSpecification";

/** The stack configuration and what this run is asked to do. */
export interface Configuration extends MirrorConfig {
  readonly run: RunOptions;
}

/**
 * Reads the configuration of the running stack and the options of the run.
 * @throws RunError, which Pulumi prints without a stack trace, with a line for every mistake found in either.
 */
export function configure(apps: readonly AppSpecification[]): Configuration {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = attempt(() => readConfig(stackConfig(), { apps, environment: process.env }));
  const run = attempt(() => readRunOptions(process.env, apps));
  if (!config || !run) throw new pulumi.RunError(["the configuration has mistakes:", ...problems].join("\n  "));
  return { ...config, run };
}
