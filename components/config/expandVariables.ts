import type { ConfigPath } from "./problems";

/** The variables `${NAME}` may name; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What {@link expandVariables} made of a value, and what it could not expand. */
export interface Expansion {
  readonly value: unknown;
  readonly problems: readonly { readonly path: ConfigPath; readonly message: string }[];
}

const placeholder = /\$\{([^}]*)\}?/g;
const variableName = /^[A-Z_][A-Z0-9_]*$/;

/**
 * Replaces `${NAME}` in every string of a value, however deep, by the environment variable. Keys stay as they are, and
 * what was put in is not expanded again. The result is not trusted: it is validated as if it had been written out.
 */
export function expandVariables(value: unknown, environment: Environment, path: ConfigPath = []): Expansion {
  if (typeof value === "string") return expandText(value, environment, path);
  if (value === null || typeof value !== "object") return { value, problems: [] };
  const isList = Array.isArray(value);
  const expanded = Object.entries(value).map(([key, item]) => {
    const expansion = expandVariables(item, environment, [...path, isList ? Number(key) : key]);
    return { key, ...expansion };
  });
  const problems = expanded.flatMap((item) => item.problems);
  if (isList) return { value: expanded.map((item) => item.value), problems };
  return { value: Object.fromEntries(expanded.map((item) => [item.key, item.value])), problems };
}

function expandText(text: string, environment: Environment, path: ConfigPath): Expansion {
  const problems: string[] = [];
  const value = text.replace(placeholder, (whole, name: string) => {
    if (!whole.endsWith("}") || !variableName.test(name)) {
      problems.push("a variable is written ${NAME}, with the characters A-Z 0-9 _ and no digit in front");
      return "";
    }
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (found === undefined) problems.push(`the environment variable ${name} is not set`);
    return found ?? "";
  });
  return { value, problems: problems.map((message) => ({ path, message })) };
}
