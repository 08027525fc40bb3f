import { expect, it } from "vitest";
import { mergeResults } from "../../bench/support/mergeResults";
import { type Result, resultOf } from "../../bench/support/result";

const result = (id: string, seconds: number): Result =>
  resultOf(
    { id, work: "", against: "", goal: { atMost: 1 }, ours: [seconds], other: [2] },
    { cores: 2, latency: 0, load: 0 },
  );
const idsAndTimes = (results: readonly Result[]) => results.map(({ id, ours }) => [id, ours]);

it("replaces all results of a benchmark that was measured anew and keeps the others, by number", () => {
  const earlier = [result("P1 kept", 1), result("P1 gone", 1), result("P3", 1)];
  const fresh = [result("P4", 2), result("P1 kept", 2)];
  expect(idsAndTimes(mergeResults(earlier, fresh))).toEqual([
    ["P1 kept", 2],
    ["P3", 1],
    ["P4", 2],
  ]);
});
