import * as pulumi from "@pulumi/pulumi";
import { checkApps } from "./config/checkApps";
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
 * Checks the app files, and reads the configuration of the running stack and the options of the run.
 * @throws RunError, which Pulumi prints without a stack trace, with a line for every mistake found in any of them.
 */
export function configure(apps: readonly AppSpecification[]): Configuration {
  const problems = [...checkApps(apps)];
  // Of apps with mistakes only the names are used, so that mistakes of the configuration are told in the same run.
  const readable = problems.length === 0 ? apps : apps.filter(isNamed).map(({ name, source }) => ({ name, source }));
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = attempt(() => readConfig(stackConfig(), { apps: readable, environment: process.env }));
  const run = attempt(() => readRunOptions(process.env, readable));
  if (!config || !run || problems.length > 0)
    throw new pulumi.RunError(["the configuration has mistakes:", ...problems].join("\n  "));
  return { ...config, run };
}

function isNamed(app: { readonly name?: unknown } | undefined): boolean {
  return typeof app?.name === "string";
}
