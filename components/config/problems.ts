import { z } from "zod";
import { disarmed } from "../model/safeText";
import { noSuch } from "./schemaParts";

/** Where in what was read a value stands: keys and list positions, outermost first. */
export type ConfigPath = readonly (string | number)[];

/** What is wrong with the value at a path: what is accepted there, or what to do. */
export interface Mistake {
  readonly path: ConfigPath;
  readonly message: string;
}

/** What a schema made of a value, or one line for each place at fault. */
export type Checked<T> =
  { readonly success: true; readonly value: T } | { readonly success: false; readonly problems: readonly string[] };

/** How the mistakes of a value are told. */
export interface CheckOptions {
  /** What stands in front of each path: `app "outline"`, or `multiarch-mirror:`, which the path follows without a space. */
  readonly subject?: string;
  /** The value as it was written, before environment variables were put in: those may be secrets. */
  readonly written?: unknown;
  /** Mistakes found before. They come first, and what the schema says of the same places is left out. */
  readonly known?: readonly Mistake[];
}

/** Checks a value against a schema. This is the only place that puts the mistakes zod finds into words. */
export function check<T>(schema: z.ZodType<T>, value: unknown, options: CheckOptions = {}): Checked<T> {
  const { subject = "", written = value, known = [] } = options;
  const unknownKeys: UnknownKeys = new Map();
  const result = schema.safeParse(value, { error: (issue) => inWords(issue, unknownKeys) });
  const found = result.success ? [] : result.error.issues.flatMap((issue) => mistakes(issue, unknownKeys));
  const byPlace = new Map(
    [...known, ...found].toReversed().map((mistake) => [JSON.stringify(mistake.path), mistake] as const),
  );
  const all = [...byPlace.values()].toReversed();
  if (result.success && all.length === 0) return { success: true, value: result.data };
  return {
    success: false,
    problems: all.map(({ path, message }) => problemLine(subject, path, valueAt(written, path), message)),
  };
}

/**
 * What a schema made of a value that a program wrote, not a person.
 * @param failure what it means when the value is not as it must be: `the attestation plan is not valid`.
 * @throws Error that names every field at fault by its path, in one line.
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, failure: string): T {
  const result = check(schema, value);
  if (result.success) return result.value;
  throw new Error(`${failure}: ${result.problems.join(", and ")}`);
}

/**
 * One line about one mistake: `<subject> <path>: <value as JSON>; <what is accepted>`.
 * The result is printable ASCII in a single line, whatever the keys and values hold. Credentials in a URL are masked.
 */
export function problemLine(subject: string, path: ConfigPath, value: unknown, message: string): string {
  const place = formatPath(path);
  const separator = subject === "" || subject.endsWith(":") || place === "" ? "" : " ";
  return `${`${subject}${separator}${place}` || "the whole"}: ${formatValue(value)}; ${message}`;
}

const longestValue = 200;
const userInformation = /(:\/\/)[^/@"\s]*@/g;

/** A value as JSON in printable ASCII, shortened when it is long. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing given";
  const json = disarmed(JSON.stringify(value, readable)).replace(userInformation, "$1***@");
  return json.length <= longestValue ? json : `${json.slice(0, longestValue)}... (${json.length} characters)`;
}

/** JSON knows neither functions nor regular expressions, and shows a promise as an empty map. */
function readable(_key: string, value: unknown): unknown {
  if (typeof value === "function") return "(a function)";
  if (value instanceof Promise) return "(a promise)";
  return value instanceof RegExp ? String(value) : value;
}

/**
 * Everything that is wrong with the configuration, found in one reading.
 * Each problem is one line that names the key, the offending value as JSON and what is accepted.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(
    /** What was read, for the first line of the message: `stack configuration`, `environment`. */
    subject: string,
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
    super([`${count} in the ${subject}:`, ...problems.map((problem) => `  - ${problem}`)].join("\n"));
  }
}

function formatPath(path: ConfigPath): string {
  const parts = path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    if (!/^[\w/-]+$/.test(part)) return `[${formatValue(part)}]`;
    return index === 0 ? part : `.${part}`;
  });
  return parts.join("");
}

/** The part of a value a path leads to; undefined where it leads nowhere. */
function valueAt(value: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    value,
  );
}

/** What is said of a key a map does not have, by the list of all those: an issue that is told keeps only the list. */
type UnknownKeys = Map<readonly string[], (key: string) => string>;

const words: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  boolean: "true or false",
  string: "text",
  int: "a whole number",
  number: "a number",
};

/** The words for an issue whose schema has no `error` of its own; undefined leaves them to zod. */
function inWords(issue: z.core.$ZodRawIssue, unknownKeys: UnknownKeys): string | undefined {
  const keys = keysOf(issue.inst);
  switch (issue.code) {
    case "invalid_type": {
      const of = keys.length > 0 ? ` of ${keys.join(", ")}` : "";
      return `accepted is ${words[issue.expected] ?? issue.expected}${of}`;
    }
    case "invalid_value":
      return `accepted is ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return issue.minimum === 1 && issue.origin !== "number" ? "it must not be empty" : undefined;
    case "invalid_key":
      return issue.issues[0]?.message;
    case "invalid_union": {
      const { discriminator = "", options } = issue;
      const given = valueAt(issue.input, [discriminator]);
      const accepted = Array.isArray(options) ? options.map(String) : [];
      return typeof given === "string" ? noSuch(discriminator, given, accepted) : `accepted is ${accepted.join(", ")}`;
    }
    case "unrecognized_keys":
      unknownKeys.set(issue.keys, (key) => keyMistake(issue.inst, key) ?? noSuch("key", key, keys));
      return undefined;
    default:
      return undefined;
  }
}

/** The keys a map may have, where they are known. */
function keysOf(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  return schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum ? schema.keyType.options.map(String) : [];
}

/** What the names of a map's keys say themselves of one that is none of them. */
function keyMistake(schema: unknown, key: string): string | undefined {
  if (!(schema instanceof z.ZodRecord) || !(schema.keyType instanceof z.ZodEnum)) return undefined;
  return schema.keyType.def.error === undefined ? undefined : schema.keyType.safeParse(key).error?.issues[0]?.message;
}

/**
 * The mistakes an issue tells of: one for each unknown key, and those of the only alternative of a union that is of the
 * value's type. Where there is no such alternative, the union itself says what is accepted.
 */
function mistakes(issue: z.core.$ZodIssue, unknownKeys: UnknownKeys): readonly Mistake[] {
  const path = issue.path as ConfigPath;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: unknownKeys.get(issue.keys)?.(key) ?? noSuch("key", key, []),
      }));
    case "invalid_union": {
      const [alternative, ...more] = issue.errors.filter((issues) => issues.every(isFurtherIn));
      if (!alternative || more.length > 0) return [{ path, message: issue.message }];
      return alternative.flatMap((inner) => mistakes({ ...inner, path: [...path, ...inner.path] }, unknownKeys));
    }
    default:
      return [{ path, message: issue.message }];
  }
}

function isFurtherIn({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === "custom" || code === "unrecognized_keys";
}
