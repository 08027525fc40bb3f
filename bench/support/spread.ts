/** What several measurements of the same thing come to. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Median and extremes of some measurements; of an even number the mean of the middle two is the median.
 * @throws Error when there are none, or one is no finite number: a median of that would look like a result.
 */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((left, right) => left - right);
  if (sorted.length === 0 || !samples.every(Number.isFinite))
    throw new Error(`${JSON.stringify(samples)} has no median; accepted are one or more finite numbers`);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return { median: (lower + upper) / 2, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}
