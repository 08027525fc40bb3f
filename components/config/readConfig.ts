import { attestConfigSchema } from "./attestConfig";
import type { AppSpecification } from "../model/appSpecification";
import { parseReference } from "../model/reference";
import { appSettings } from "./appSettings";
import { appNameSchema, appsSchema, platformsSchema, type SelectedApps } from "./appsSchema";
import { builderSchema } from "./builder";
import { cacheSchema } from "./cacheConfig";
import { type Environment, expandVariables } from "./expandVariables";
import { keepSchema } from "./keepSchema";
import type { MirrorConfig } from "./mirrorConfig";
import { check, ConfigError, formatValue, problemLine } from "./problems";
import { z } from "zod";
import { boolean, type Schema, text, uniqueList } from "./schemaParts";
import { noSuch } from "./noSuch";

/** What the configuration is read against. */
export interface ConfigContext {
  /** Every app this project knows. */
  readonly apps: readonly AppSpecification[];
  /** Where `${NAME}` is looked up. */
  readonly environment: Environment;
}

type Values = Omit<MirrorConfig, keyof SelectedApps> & { readonly apps: SelectedApps };
type Schemas = { readonly [Key in keyof Values]: Schema<Values[Key]> };

/** What holds for a key that is not set. Pulumi.yaml declares the same values; `namespace` has none. */
const defaults: Readonly<Record<string, unknown>> = {
  registry: "ghcr.io",
  platforms: ["linux/amd64", "linux/arm64"],
  keep: 10,
  apps: "all",
  builder: "multiarch-mirror",
  cache: { type: "off" },
  newPackages: [],
  floatingTags: true,
  attest: "keyless",
};

const prefix = "multiarch-mirror:";

/**
 * Reads the stack configuration: the only place where it is validated.
 *
 * @param raw the project's keys as Pulumi hands them over, without the project's name in front: text, or JSON text for
 *   lists and maps. Parsed values are taken as well.
 * @throws ConfigError with every mistake found, in one reading.
 */
export function readConfig(raw: Readonly<Record<string, unknown>>, context: ConfigContext): MirrorConfig {
  const schemas = configSchemas(context.apps);
  const known = Object.keys(schemas);
  const problems = Object.keys(raw)
    .filter((key) => !known.includes(key))
    .map((key) => problemLine(prefix, [key], decode(raw[key]), noSuch("key", key, known)));
  const read: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(schemas)) {
    const given = raw[key] === undefined ? defaults[key] : decode(raw[key]);
    const result = readKey(key, given, schema, context.environment);
    problems.push(...result.problems);
    if (result.problems.length === 0) read[key] = result.value;
  }
  problems.push(...contradictions(read));
  if (problems.length > 0) throw new ConfigError("stack configuration", problems);
  const { apps, ...others } = read as unknown as Values;
  return { ...others, ...apps };
}

function configSchemas(apps: readonly AppSpecification[]): Schemas {
  return {
    registry: text(
      "a registry host with an optional port, without scheme or path, such as ghcr.io or localhost:5000",
      (value) => (parseReference(`${value}/a/b`).registry === value ? value : undefined),
    ),
    namespace: text(
      "a repository path in lower case: parts of a-z 0-9, joined by . _ __ or dashes, between slashes",
      (value) =>
        value.length <= 128 && parseReference(`localhost/${value}/a`).repository === `${value}/a` ? value : undefined,
    ),
    platforms: platformsSchema,
    keep: keepSchema,
    apps: appsSchema(apps),
    builder: builderSchema,
    cache: cacheSchema,
    newPackages: uniqueList("a list of app names", appNameSchema(apps), { mayBeEmpty: true }),
    floatingTags: boolean,
    attest: attestConfigSchema,
  };
}

/** Pulumi stores lists and maps as JSON text and everything else as plain text. */
function decode(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function readKey(
  key: string,
  given: unknown,
  schema: Schema<unknown>,
  environment: Environment,
): { readonly value: unknown; readonly problems: readonly string[] } {
  const { value, problems: known } = expandVariables({ [key]: given }, environment);
  const result = check(z.strictObject({ [key]: schema }), value, { subject: prefix, written: { [key]: given }, known });
  return result.success ? { value: result.value[key], problems: [] } : { value: undefined, problems: result.problems };
}

/** Mistakes that only show when several keys, each right by itself, are looked at together. */
function contradictions(read: Partial<Values>): readonly string[] {
  const { registry, namespace, builder, apps, platforms } = read;
  const problems: string[] = [];
  if (registry === "docker.io" && namespace?.includes("/")) {
    problems.push(problemLine(prefix, ["namespace"], namespace, "Docker Hub accepts a single part, without slashes"));
  }
  if (builder !== undefined && typeof builder !== "string" && apps && platforms) {
    const config = { ...apps, platforms, keep: 1, floatingTags: false };
    const wanted = [...apps.apps.values()].flatMap(({ specification }) => appSettings(config, specification).platforms);
    const lacking = [...new Set(wanted)].filter((platform) => !builder.has(platform));
    const message = `no builder is named for ${lacking.join(", ")}; add ${lacking.length === 1 ? "it" : "them"} to the map`;
    if (lacking.length > 0) problems.push(`${prefix}builder: ${formatValue(Object.fromEntries(builder))}; ${message}`);
  }
  return problems;
}
