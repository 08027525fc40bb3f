import { parseDocument, type ScalarTag } from "yaml";
import { z } from "zod";
import { ConfigError } from "../../components/config/problems";
import { nearest } from "../../components/config/schemaParts";
import { printable } from "../../components/model/safeText";

/** The configuration of a stack, as Pulumi would hand it over: text, or JSON text for lists and maps. */
export interface StackConfig {
  /** The project's own keys, without its name in front. */
  readonly own: Readonly<Record<string, string>>;
  /** Those of the `github` provider, likewise. */
  readonly github: Readonly<Record<string, string>>;
  /** What only Pulumi can read: keys of these with secrets in them, and imports of environments. Empty: nothing. */
  readonly sealed: readonly string[];
}

const declaration = z.looseObject({ default: z.unknown().optional(), value: z.unknown().optional() });
const project = z.looseObject({ name: z.string(), config: z.record(z.string(), z.unknown()).nullish() });
const stack = z
  .looseObject({ config: z.record(z.string(), z.unknown()).nullish(), environment: z.unknown().optional() })
  .nullable();

/**
 * Reads the text of `Pulumi.yaml` and of a stack's configuration as Pulumi does: keys without a namespace are the project's, and
 * where the stack says nothing, defaults and values of the project hold.
 * @throws ConfigError when a text is no YAML, or not laid out so.
 */
export function readStackConfig(projectText: string, stackText: string): StackConfig {
  const { name, config: declared } = parse("Pulumi.yaml", projectText, project);
  const read = parse("stack configuration", stackText, stack);
  const unread = unreadKeys(name, read ?? {});
  if (unread.length > 0) throw new ConfigError("stack configuration", unread);
  const values = new Map<string, unknown>();
  for (const [key, given] of Object.entries(declared ?? {})) {
    const { default: fallback, value } = declaration.safeParse(given).data ?? { value: given };
    if ((fallback ?? value) !== undefined) values.set(fullKey(name, key), fallback ?? value);
  }
  for (const [key, value] of Object.entries(read?.config ?? {})) values.set(fullKey(name, key), value);
  const of = (namespace: string) =>
    [...values].flatMap(([key, value]) => {
      const [space, own = ""] = key.split(/:(?:config:)?/);
      return space === namespace ? [[own, value] as const] : [];
    });
  const keys = [...of(name), ...of("github")];
  return {
    own: Object.fromEntries(of(name).map(([key, value]) => [key, asText(value)])),
    github: Object.fromEntries(of("github").map(([key, value]) => [key, asText(value)])),
    sealed: [
      ...keys.filter(([, value]) => isSealed(value)).map(([key]) => key),
      ...(read?.environment === undefined || read.environment === null ? [] : ["environment"]),
    ],
  };
}

/** What is meant for the project and stands where nobody reads it: Pulumi says nothing of such keys. */
function unreadKeys(name: string, { config, ...beside }: NonNullable<z.output<typeof stack>>): readonly string[] {
  const spaceOf = (key: string): string => key.split(":")[0] ?? "";
  return [
    ...Object.keys(beside)
      .filter((key) => key.includes(":") && (spaceOf(key) === name || nearest(spaceOf(key), [name])))
      .map((key) => `${printable(key)} stands beside "config:", where nobody reads it; it belongs below`),
    ...Object.keys(config ?? {})
      .filter((key) => key.includes(":") && spaceOf(key) !== name && nearest(spaceOf(key), [name]))
      .map(
        (key) => `${printable(key)} is a key of nobody, did you mean ${printable(key.replace(spaceOf(key), name))}?`,
      ),
  ];
}

function fullKey(projectName: string, key: string): string {
  return key.includes(":") ? key : `${projectName}:${key}`;
}

function parse<T>(what: string, text: string, schema: z.ZodType<T>): T {
  const document = parseDocument(text, { merge: true, customTags: (tags) => [...asPulumiReads, ...tags] });
  const [error] = document.errors;
  if (error) throw new ConfigError(what, [`it is no YAML: ${error.message}`]);
  const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (result.success) return result.data;
  throw new ConfigError(what, [z.prettifyError(result.error)]);
}

/** Scalars Pulumi's YAML library (yaml.v3, resolve.go) reads otherwise than YAML 1.2 would. */
const asPulumiReads: readonly ScalarTag[] = [
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?(?:0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|[0-9][0-9_]*)$/,
    resolve: (text) => {
      const digits = text.replace(/^[-+]|_/g, "").replace(/^0(?=[0-7]+$)/, "0o");
      return text.startsWith("-") ? -Number(digits) : Number(digits);
    },
  },
  {
    tag: "tag:yaml.org,2002:timestamp",
    default: true,
    test: /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$/,
    resolve: (text) => {
      const [year = "", month = "", day = ""] = text.split("-");
      return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")} 00:00:00 +0000 UTC`;
    },
  },
];

function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A secret is a map with the key `secure` alone, at any depth. */
function isSealed(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  return (keys.length === 1 && keys[0] === "secure") || Object.values(value).some(isSealed);
}
