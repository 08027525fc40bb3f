import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadSample } from "../../../tools/sweep/spreadSample";
import { allPoints, ruleOf } from "../../../tools/sweep/sweepPoint";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("a spread sample", () => {
  it("has one item of every stretch, in order, and the same seed gives the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 30 }), seeds, (length, size, seed) => {
        const items = Array.from({ length }, (_, position) => position);
        const sample = spreadSample(items, size, seed);
        expect(sample).toEqual(spreadSample(items, size, seed));
        expect(sample).toHaveLength(Math.min(length, size));
        const edge = (stretch: number): number => Math.floor((stretch * length) / Math.min(length, size));
        for (const [stretch, item] of sample.entries()) {
          expect(item).toBeGreaterThanOrEqual(edge(stretch));
          expect(item).toBeLessThan(edge(stretch + 1));
        }
      }),
    );
  });

  it("can take in any item", () => {
    const seen = new Set(
      Array.from({ length: 2_000 }, (_, seed) => spreadSample([...Array(60).keys()], 6, seed)).flat(),
    );
    expect(seen.size).toBe(60);
  });
});

describe("the points of a sweep", () => {
  it("are each request once with 500 and once cut", () => {
    expect(allPoints(2)).toEqual([
      { n: 1, fault: "500" },
      { n: 1, fault: "cut" },
      { n: 2, fault: "500" },
      { n: 2, fault: "cut" },
    ]);
    expect(ruleOf({ n: 2, fault: "cut" })).toMatchObject({ part: "registry", nth: 2, times: 1, cut: "response" });
    expect(ruleOf({ n: 1, fault: "500" })).toMatchObject({ part: "registry", nth: 1, times: 1, status: 500 });
  });
});
