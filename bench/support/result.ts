import { z } from "zod";
import { type Goal, judge } from "./goal";
import { spreadOf } from "./spread";

const spread = z.strictObject({ median: z.number(), least: z.number(), most: z.number() });

const schema = z.strictObject({
  /** Number of the benchmark, and which of its comparisons: `P1 kept`. */
  id: z.string(),
  /** What was done, and against what. */
  work: z.string(),
  against: z.string(),
  unit: z.string(),
  /** Medians. */
  ours: z.number(),
  other: z.number(),
  /** As the goal says: `ours / other`, or `other / ours`. */
  ratio: z.number(),
  goal: z.string(),
  met: z.boolean(),
  /** Of this machine. */
  cores: z.int().positive(),
  rounds: z.int().positive(),
  spread: z.strictObject({ ours: spread, other: spread }),
  /** Milliseconds added to each registry request. */
  latency: z.number(),
  /** Load average over a minute when the comparison ended: what else the machine was busy with. */
  load: z.number(),
  /** What else was seen, and why a goal was missed. */
  notes: z.array(z.string()),
});

/** One comparison as `results.json` holds it: an array of these. */
export type Result = z.output<typeof schema>;

/** Checks the content of a `results.json`. @throws ZodError */
export function parseResults(content: unknown): readonly Result[] {
  return z.array(schema).parse(content);
}

/** One comparison as a benchmark measured it. */
export interface Comparison {
  readonly id: string;
  readonly work: string;
  readonly against: string;
  readonly goal: Goal;
  /** Default: seconds. */
  readonly unit?: string;
  readonly ours: readonly number[];
  readonly other: readonly number[];
  readonly notes?: readonly string[];
}

/** Where and when a comparison was made. */
export type Circumstances = Pick<Result, "cores" | "latency" | "load">;

/** Condenses a comparison into its result. */
export function resultOf(comparison: Comparison, circumstances: Circumstances): Result {
  const { id, work, against, unit = "s", notes = [] } = comparison;
  const [ours, other] = [spreadOf(comparison.ours), spreadOf(comparison.other)];
  return {
    id,
    work,
    against,
    unit,
    ours: ours.median,
    other: other.median,
    ...judge(comparison.goal, ours.median, other.median, unit),
    ...circumstances,
    rounds: comparison.ours.length,
    spread: { ours, other },
    notes: [...notes],
  };
}
