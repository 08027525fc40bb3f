import { describe, expect, it } from "vitest";
import { judge } from "../../bench/support/goal";
import { type Comparison, parseResults, resultOf } from "../../bench/support/result";
import { resultTable } from "../../bench/support/resultTable";

const circumstances = { cores: 2, latency: 50, load: 0.5 };
const comparison: Comparison = {
  id: "P1 kept",
  work: "no-op | of 30 versions",
  against: "a loop",
  goal: { faster: 5 },
  ours: [2, 1, 3],
  other: [12, 10, 8],
  notes: ["made 99 requests"],
};

describe("judging a comparison", () => {
  it.each([
    [{ faster: 5 }, 2, 10, 5, true],
    [{ faster: 5 }, 2, 9.9, 4.95, false],
    [{ atMost: 1.05 }, 10.5, 10, 1.05, true],
    [{ atMost: 1.05 }, 10.6, 10, 1.06, false],
    [{ within: 4 }, 6, 2, 3, true],
    [{ within: 4 }, 6.1, 2, 3.05, false],
  ])("%j with ours %d and other %d has the ratio %d: %s", (goal, ours, other, ratio, met) => {
    const judged = judge(goal, ours, other, "s");
    expect(judged.ratio).toBeCloseTo(ratio, 10);
    expect(judged.met).toBe(met);
  });

  it("says what the ratio is made of", () => {
    expect(judge({ faster: 5 }, 1, 1, "s").goal).toBe("other / ours ≥ 5");
    expect(judge({ atMost: 1.5 }, 1, 1, "s").goal).toBe("ours / other ≤ 1.5");
    expect(judge({ within: 4 }, 1, 1, "s").goal).toBe("ours ≤ other + 4 s");
  });
});

describe("a result", () => {
  it("holds medians, spread, ratio, goal and the machine's cores, and survives its file", () => {
    const result = resultOf(comparison, circumstances);
    expect(result).toMatchObject({ id: "P1 kept", ours: 2, other: 10, ratio: 5, met: true, cores: 2, rounds: 3 });
    expect(result.spread.other).toEqual({ median: 10, least: 8, most: 12 });
    expect(parseResults(JSON.parse(JSON.stringify([result])))).toEqual([result]);
  });

  it.each([{ met: "yes" }, { ratio: null }, { cores: 0 }, { surplus: 1 }])("with %j is refused", (change) => {
    expect(() => parseResults([{ ...resultOf(comparison, circumstances), ...change }])).toThrow();
  });

  it("is a row of the table, with median and extremes, and its notes follow below", () => {
    expect(resultTable([resultOf(comparison, circumstances)])).toBe(
      [
        "|  | work | ours | other | against | ratio | goal | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| P1 kept | no-op \\| of 30 versions | 2 s (1–3) | 10 s (8–12) | a loop | 5.00 | other / ours ≥ 5 | yes |",
        "",
        "- **P1 kept**: made 99 requests",
        "",
      ].join("\n"),
    );
  });

  it("that misses its goal stands out in the table", () => {
    expect(resultTable([resultOf({ ...comparison, goal: { faster: 6 } }, circumstances)])).toContain("| **no** |");
  });
});
