import type { z } from "zod";

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
