import { z } from "zod";
import { noSuch } from "./noSuch";

/** A schema for one value: what it takes is up to a function, and its message says what is accepted. */
export type Schema<T> = z.ZodType<T>;

/** The values of an object schema's fields. */
export type Fields<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/**
 * A schema out of a function that answers undefined (or throws) for what it does not take.
 * @param accepted completes "accepted is …"
 */
export function accepting<T>(accepted: string, parse: (value: unknown) => T | undefined): Schema<T> {
  return z.unknown().transform((value, context): T => {
    const parsed = attempt(() => parse(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: `accepted is ${accepted}` });
    return z.NEVER;
  });
}

/** A schema for text; the function gets strings only. */
export function text<T = string>(accepted: string, parse: (value: string) => T | undefined): Schema<T> {
  return accepting(accepted, (value) => (typeof value === "string" ? parse(value) : undefined));
}

/** An integer within bounds; digits in a string will do, because Pulumi hands top-level values over as text. */
export function integer(from: number, to: number): Schema<number> {
  return accepting(`an integer from ${from} to ${to}`, (value) => {
    const number = typeof value === "string" && /^[0-9]{1,9}$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= from && number <= to
      ? number
      : undefined;
  });
}

/** `true` or `false`, also as text, because Pulumi hands top-level values over as text. */
export const boolean = z.preprocess(
  (value) => (value === "true" || value === "false" ? value === "true" : value),
  z.boolean(),
);

/** Hands a value on to another schema from within a transformation, keeping its issues and their paths. */
export function delegate<T>(
  schema: Schema<T>,
  value: unknown,
  context: z.RefinementCtx,
  path: readonly PropertyKey[] = [],
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { message, path: inner } of result.error.issues) {
    context.addIssue({ code: "custom", message, path: [...path, ...inner] });
  }
  return z.NEVER;
}

/** A map with these keys and no others; an unknown key is answered with the nearest known one. */
export function fields<Shape extends z.ZodRawShape>(what: string, shape: Shape): Schema<Fields<Shape>> {
  const known = Object.keys(shape);
  const schema = z.object(shape);
  return z.unknown().transform((value, context) => {
    if (!isRecord(value)) {
      context.addIssue({ code: "custom", message: `accepted is ${what}: a map of ${known.join(", ")}` });
      return z.NEVER;
    }
    for (const key of Object.keys(value).filter((name) => !known.includes(name))) {
      context.addIssue({ code: "custom", message: noSuch("key", key, known), path: [key] });
    }
    return delegate(schema as unknown as Schema<Fields<Shape>>, value, context);
  });
}

/** A list whose items all differ once parsed. */
export function uniqueList<T>(
  what: string,
  item: Schema<T>,
  options: { readonly mayBeEmpty: boolean },
): Schema<readonly T[]> {
  return z.unknown().transform((value, context): readonly T[] => {
    if (!Array.isArray(value) || (value.length === 0 && !options.mayBeEmpty)) {
      context.addIssue({ code: "custom", message: `accepted is ${what}` });
      return z.NEVER;
    }
    const seen = new Set<T>();
    for (const [index, given] of value.entries()) {
      const before = context.issues.length;
      const parsed = delegate(item, given, context, [index]);
      if (context.issues.length > before) continue;
      if (seen.has(parsed)) context.addIssue({ code: "custom", message: "it is in the list twice", path: [index] });
      seen.add(parsed);
    }
    return [...seen];
  });
}

/** Whether a value is a map, as YAML and JSON have them. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function attempt<T>(action: () => T | undefined): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
