import type { AppSpecification } from "../model/appSpecification";
import { type MirrorConfig, mirrorConfigSchema } from "./mirrorConfig";
import { check, ConfigError, type ConfigPath, type Mistake } from "./problems";

/** The variables `${NAME}` may name; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the configuration is read against. */
export interface ConfigContext {
  /** Every app this project knows. */
  readonly apps: readonly AppSpecification[];
  /** Where `${NAME}` is looked up. */
  readonly environment: Environment;
}

/**
 * Reads the stack configuration: the only place where it is validated.
 *
 * `${NAME}` in any text, however deep, is replaced by the environment variable. Keys stay as they are, and what was put in
 * is not expanded again. The result is not trusted: it is validated as if it had been written out.
 * @param raw the project's keys as Pulumi hands them over, without the project's name in front: text, or JSON text for
 *   lists and maps. Parsed values are taken as well.
 * @throws ConfigError with every mistake found, in one reading.
 */
export function readConfig(raw: Readonly<Record<string, unknown>>, context: ConfigContext): MirrorConfig {
  const written = Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, decode(value)]));
  const known: Mistake[] = [];
  const value = expand(written, context.environment, [], known);
  const result = check(mirrorConfigSchema(context.apps), value, { subject: "multiarch-mirror:", written, known });
  if (result.success) return result.value;
  throw new ConfigError("stack configuration", result.problems);
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

/** The value with its variables put in; those that cannot be are added to the mistakes. */
function expand(value: unknown, environment: Environment, path: ConfigPath, mistakes: Mistake[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => expand(item, environment, [...path, index], mistakes));
  if (typeof value === "object" && value !== null) {
    // Where any name may be a key, zod leaves this one out without a word.
    if (Object.hasOwn(value, "__proto__"))
      mistakes.push({ path: [...path, "__proto__"], message: "there is no such key" });
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, expand(item, environment, [...path, key], mistakes)]),
    );
  }
  if (typeof value !== "string") return value;
  return value.replace(/\$\{([^}]*)\}?/g, (whole, name: string) => {
    const refuse = (message: string) => mistakes.push({ path, message });
    if (!whole.endsWith("}") || !/^[A-Z_][A-Z0-9_]*$/.test(name))
      refuse("a variable is written ${NAME}, with the characters A-Z 0-9 _ and no digit in front");
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (found === undefined) refuse(`the environment variable ${name} is not set`);
    return found ?? "";
  });
}
