import { z } from "zod";
import type { Keep } from "../model/appSpecification";

/**
 * Text of a certain form.
 * @param accepted completes "accepted is …"
 * @param accepts says whether a text is of that form, by an answer or by not throwing.
 */
export function text(accepted: string, accepts: (value: string) => boolean) {
  const message = `accepted is ${accepted}`;
  return z.string(message).refine((value) => attempt(() => accepts(value)) ?? false, message);
}

/**
 * Text that means something else.
 * @param accepted completes "accepted is …"
 * @param parse answers undefined, or throws, for what it does not take.
 */
export function parsedText<T>(accepted: string, parse: (value: string) => T | undefined) {
  const message = `accepted is ${accepted}`;
  return z.string(message).transform((value, context): T => {
    const parsed = attempt(() => parse(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** An integer within bounds; digits in a string will do, because Pulumi hands top-level values over as text. */
export function integer(from: number, to: number, accepted = `an integer from ${from} to ${to}`) {
  const message = `accepted is ${accepted}`;
  const digits = (value: unknown) => (typeof value === "string" && /^[0-9]{1,9}$/.test(value) ? Number(value) : value);
  return z.preprocess(digits, z.int(message).min(from, message).max(to, message));
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** A week. */
const longestSeconds = 604_800;
const acceptedDuration = 'a whole number with s, m or h, such as "90m" or "4h", at most a week';

/** A length of time, in seconds. */
export const durationSchema = parsedText(acceptedDuration, (value) => {
  const [, number, unit = ""] = /^([1-9][0-9]{0,5})([smh])$/.exec(value) ?? [];
  const seconds = Number(number) * (secondsIn[unit] ?? 1);
  return seconds <= longestSeconds ? seconds : undefined;
}).meta({ id: "duration" });

/** `true` or `false`, also as text, because Pulumi hands top-level values over as text. */
export const boolean = z.preprocess(
  (value) => (value === "true" || value === "false" ? value === "true" : value),
  z.boolean(),
);

/** A list whose items all differ once parsed. */
export function uniqueList<Item extends z.ZodType>(
  accepted: string,
  item: Item,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
) {
  const message = `accepted is ${accepted}`;
  const list = z.array(item, message);
  return (mayBeEmpty ? list : list.min(1, message))
    .meta({ uniqueItems: true })
    .superRefine(
      (items, context) => {
        for (const [index, value] of items.entries())
          if (items.indexOf(value) < index)
            context.addIssue({ code: "custom", message: "it is in the list twice", path: [index] });
      },
      { when: ({ value }) => Array.isArray(value) },
    )
    .transform((items): readonly z.output<Item>[] => items);
}

/** GitHub lists at most this many releases, so a larger window could never be filled. */
const most = 1000;
const acceptedKeep = `an integer from 1 to ${most}, or a map of latest, perMinor and minors`;

/** Reads `keep`: how many of the highest versions, and, if wanted, how many of each of the highest minor lines. */
export const keepSchema: z.ZodType<Keep> = z
  .union(
    [
      integer(1, most, acceptedKeep),
      z
        .strictObject({
          latest: integer(1, most),
          perMinor: integer(1, most).exactOptional(),
          minors: integer(1, most).exactOptional(),
        })
        .meta({ dependencies: { perMinor: ["minors"], minors: ["perMinor"] } })
        .refine(
          ({ perMinor, minors }) => (perMinor === undefined) === (minors === undefined),
          "perMinor and minors need one another: give both or neither",
        ),
    ],
    `accepted is ${acceptedKeep}`,
  )
  .meta({ id: "keep" });

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

/** Says that a name is not known, which one was probably meant and which there are. */
export function noSuch(kind: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const suggestion = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  return `there is no such ${kind}${suggestion}${suggestion ? " Known" : "; known"} are ${known.join(", ")}`;
}

/**
 * The candidate a mistyped name most likely meant, or undefined when none is close: at most a third of its letters
 * may differ, and at least one. Distance is Levenshtein's; names in a configuration are short.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  // A name far longer than any candidate cannot be near one, and the table below would be needlessly large.
  if (name.length > 100) return undefined;
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((left, right) => left.distance - right.distance);
  return best?.candidate;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const substituted = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
