import type { z } from "zod";

/** Where in the configuration a value stands: keys and list positions, outermost first. */
export type ConfigPath = readonly (string | number)[];

const longestValue = 200;
const userInformation = /(:\/\/)[^/@"\s]*@/g;

/**
 * One line about one mistake: `<key path>: <value as JSON>; <what is accepted>`.
 * The result is printable ASCII in a single line, whatever the keys and values hold. Credentials in a URL are masked.
 * @param value the value as it was written, before environment variables were put in: those may be secrets.
 */
export function problemLine(prefix: string, path: ConfigPath, value: unknown, message: string): string {
  return `${prefix}${formatPath(path)}: ${formatValue(value)}; ${message}`;
}

/** A value as JSON in printable ASCII, shortened when it is long. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing given";
  const json = ascii(JSON.stringify(value)).replace(userInformation, "$1***@");
  return json.length <= longestValue ? json : `${json.slice(0, longestValue)}... (${json.length} characters)`;
}

function formatPath(path: ConfigPath): string {
  const parts = path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    if (!/^[\w/-]+$/.test(part)) return `[${formatValue(part)}]`;
    return index === 0 ? part : `.${part}`;
  });
  return parts.join("");
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The part of a value a path leads to; undefined where it leads nowhere. */
export function valueAt(value: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    value,
  );
}

const words: Readonly<Record<string, string>> = {
  object: "a map",
  array: "a list",
  boolean: "true or false",
  string: "text",
};

/**
 * The issues of a zod schema in the words of the configuration, one for each place at fault. Messages of our own schemas
 * are such words already; those zod makes up are put into them.
 */
export function plainIssues(error: z.ZodError): readonly { readonly path: ConfigPath; readonly message: string }[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path as ConfigPath;
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({ path: [...path, key], message: "there is no such key" }));
      case "invalid_type":
        return [{ path, message: `accepted is ${words[issue.expected] ?? issue.expected}` }];
      case "invalid_union": {
        const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
        return [{ path, message: options.length > 0 ? `accepted is ${options.join(", ")}` : issue.message }];
      }
      default:
        return [{ path, message: issue.message }];
    }
  });
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

/** All issues of a failed check on one line: path, what is wrong, and the value as JSON where it is short. */
export function describeIssues(error: z.ZodError, value: unknown): string {
  return error.issues
    .map(({ path, message }) => {
      const given = JSON.stringify(path.reduce<unknown>((inner, key) => lookUp(inner, key), value));
      const shown = given !== undefined && given.length <= 80 ? ` (it is ${given})` : "";
      return `${path.length === 0 ? "the whole" : path.map(String).join(".")}: ${message}${shown}`;
    })
    .join("; ");
}

function lookUp(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
