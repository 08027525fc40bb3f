import type { Result } from "./result";

/** Earlier results with those of some benchmarks measured anew, in the order of their numbers: benchmarks may be run one by one. */
export function mergeResults(earlier: readonly Result[], fresh: readonly Result[]): readonly Result[] {
  const benchmark = ({ id }: Result): string => id.split(" ")[0] ?? id;
  const measured = new Set(fresh.map(benchmark));
  const all = [...earlier.filter((result) => !measured.has(benchmark(result))), ...fresh];
  return all.toSorted((left, right) =>
    benchmark(left) < benchmark(right) ? -1 : benchmark(left) > benchmark(right) ? 1 : 0,
  );
}
