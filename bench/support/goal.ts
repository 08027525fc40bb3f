/**
 * What is asked of a comparison, in which less is better.
 *
 * - `faster`: the other takes at least so many times as long; the ratio is other / ours.
 * - `atMost`: ours takes at most so many times as long; the ratio is ours / other.
 * - `within`: ours takes at most so many units more; the ratio is ours / other.
 */
export type Goal = { readonly faster: number } | { readonly atMost: number } | { readonly within: number };

/** A goal and what was measured. */
export interface Judgement {
  readonly ratio: number;
  /** What the ratio is made of, and the bound. */
  readonly goal: string;
  readonly met: boolean;
}

/** Judges medians. `unit` is that of both, for goals that allow a difference. */
export function judge(goal: Goal, ours: number, other: number, unit: string): Judgement {
  if ("faster" in goal) {
    const ratio = other / ours;
    return { ratio, goal: `other / ours ≥ ${goal.faster}`, met: ratio >= goal.faster };
  }
  const ratio = ours / other;
  if ("atMost" in goal) return { ratio, goal: `ours / other ≤ ${goal.atMost}`, met: ratio <= goal.atMost };
  return { ratio, goal: `ours ≤ other + ${goal.within} ${unit}`, met: ours <= other + goal.within };
}
