import { resolve } from "node:path";
import type { AppSpecification } from "../model/appSpecification";
import { reasonOf } from "../model/reasonOf";
import { appSettings } from "./appSettings";
import { type AttestConfig, readSigningConfig } from "./attestConfig";
import { checkApps } from "./checkApps";
import { expectedCertificate, strangerProblem } from "./expectedSigner";
import type { MirrorConfig } from "./mirrorConfig";
import { ConfigError, formatValue, problemLine } from "./problems";
import { readConfig } from "./readConfig";
import { type RunOptions, readRunOptions } from "./runOptions";

/** The stack configuration and what this run is asked to do. */
export interface Configuration extends MirrorConfig {
  readonly run: RunOptions;
}

/** What a run is given. */
export interface ConfigurationSource {
  /** The stack configuration as {@link readConfig} takes it. */
  readonly stackConfig: Readonly<Record<string, unknown>>;
  readonly environment: NodeJS.ProcessEnv;
  /** Nothing is to be changed. */
  readonly dryRun: boolean;
}

/**
 * Checks the app files, and reads the configuration of the stack and the options of the run.
 * @throws ConfigError with a line for every mistake found in any of them.
 */
export function configure(
  apps: readonly AppSpecification[],
  { stackConfig, environment, dryRun }: ConfigurationSource,
): Configuration {
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
  const config = attempt(() => readConfig(stackConfig, { apps: readable, environment }));
  const run = attempt(() => readRunOptions(environment, readable));
  if (config) problems.push(...requirementProblems(config));
  if (config && run) problems.push(...unwantedPlatforms(config, run));
  if (config && run) {
    const signs = run.phase !== "build" && !dryRun;
    problems.push(...signingProblems(config.attest, { root: process.cwd(), environment, signs }));
  }
  if (!config || !run || problems.length > 0) throw new ConfigError("configuration", problems);
  return { ...config, run };
}

/** An app that requires none of its wanted platforms would be published with whatever there is, even nothing. */
export function requirementProblems(config: MirrorConfig): readonly string[] {
  return [...config.apps.values()].flatMap(({ specification }) => {
    const { name, platformsRequired: required = [] } = specification;
    const { platforms, platformsRequired } = appSettings(config, specification);
    if (required.length === 0 || platformsRequired.length > 0) return [];
    const message = `none of them is wanted in this stack: accepted are some of ${platforms.join(", ")}`;
    return [problemLine(`app ${formatValue(name)}`, ["platformsRequired"], required, message)];
  });
}

/** A run for a platform that none of its apps wants would do nothing, and say of every version that it waits. */
function unwantedPlatforms(config: MirrorConfig, { platforms = [], apps }: RunOptions): readonly string[] {
  const own = [...config.apps].filter(([name]) => apps?.includes(name) !== false);
  const wanted = new Set(own.flatMap(([, { specification }]) => appSettings(config, specification).platforms));
  const message = `no app of this run wants it; wanted are ${[...wanted].join(", ")}`;
  return platforms.flatMap((platform, position) =>
    wanted.has(platform) ? [] : [problemLine("", ["MIRROR_PLATFORMS", position], platform, message)],
  );
}

function isNamed(app: { readonly name?: unknown } | undefined): boolean {
  return typeof app?.name === "string";
}

/** Where signatures are made and checked. */
export interface SigningPlace {
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the run may sign: a preview and a build do not. */
  readonly signs: boolean;
}

/**
 * Why signing as configured cannot work here, or cannot last, a line each; told before anything is built or signed, because it would
 * otherwise be noticed after the work is done, or when the signatures have expired.
 */
export function signingProblems(
  { signing }: AttestConfig,
  { root, environment, signs }: SigningPlace,
): readonly string[] {
  if (signing.mode === "off") return [];
  const { signingConfig } = signing;
  const problems = [
    signingConfig === undefined || signingConfig === "none"
      ? undefined
      : problemOf(() => evidenceProblem(resolve(root, signingConfig), signing.mode)),
    problemOf(() => {
      if (signing.mode === "keyless") expectedCertificate(signing, environment);
      return signs ? strangerProblem(signing, environment) : undefined;
    }),
  ];
  return problems.flatMap((problem) => (problem === undefined ? [] : [`multiarch-mirror:attest.signing: ${problem}`]));
}

function evidenceProblem(path: string, mode: "key" | "keyless"): string | undefined {
  const { transparencyLog, timestamps } = readSigningConfig(path);
  if (transparencyLog || timestamps || mode === "key") return undefined;
  return (
    `${JSON.stringify(path)} names neither a transparency log nor a timestamp authority, so that nothing says when a signature ` +
    "was made, and none verifies once its certificate has expired, after ten minutes; accepted is one with either"
  );
}

function problemOf(find: () => string | undefined): string | undefined {
  try {
    return find();
  } catch (error) {
    return reasonOf(error);
  }
}
