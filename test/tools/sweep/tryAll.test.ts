import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dealt } from "../../../tools/sweep/groups";
import { held, sweepSummary, tryAll } from "../../../tools/sweep/sweep";
import { allPoints, type SweepPoint } from "../../../tools/sweep/sweepPoint";
import type { TryResult } from "../../../tools/sweep/sweepRig";

/** A run that reaches and breaks what it is told to, and notes what it was asked. */
function runs(
  told: { readonly reached?: (group: readonly SweepPoint[]) => readonly SweepPoint[]; readonly broken?: number } = {},
) {
  const asked: (readonly number[])[] = [];
  const attempt = async (points: readonly SweepPoint[]): Promise<TryResult> => {
    asked.push(points.map(({ n }) => n));
    const reached = told.reached?.(points) ?? points;
    const broken = reached.some(({ n }) => n === told.broken) ? ["a tag moved"] : [];
    return Promise.resolve({ points, reached, exitCode: 0, broken });
  };
  return { asked, attempt };
}

const points = allPoints(8).filter(({ fault }) => fault === "500");

describe("points dealt into groups", () => {
  it("are each in one group, as far apart as they can be", () => {
    expect(dealt([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([
      [1, 4, 7],
      [2, 5],
      [3, 6],
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 }), (length, size) => {
        const items = [...Array(length).keys()];
        const groups = dealt(items, size);
        expect(groups.flat().toSorted((one, other) => one - other)).toEqual(items);
        expect(groups.every((group) => group.length > 0 && group.length <= size)).toBe(true);
      }),
    );
  });
});

describe("trying points", () => {
  it("one by one, each has its own run", async () => {
    const { asked, attempt } = runs();
    const result = await tryAll(points, attempt, {});
    expect(asked).toEqual([[1], [2], [3], [4], [5], [6], [7], [8]]);
    expect(held(result)).toBe(true);
    expect(sweepSummary({ requests: 8, ...result })).toBe("8 of 16 points tried, 8 held");
  });

  it("together, a run has several, and those that hold are done", async () => {
    const { asked, attempt } = runs();
    const result = await tryAll(points, attempt, { together: 4 });
    expect(asked).toEqual([
      [1, 3, 5, 7],
      [2, 4, 6, 8],
    ]);
    expect(result.results).toHaveLength(8);
    expect(held(result)).toBe(true);
  });

  it("together, each point of a run that did not hold is tried in smaller ones, down to its own", async () => {
    const { asked, attempt } = runs({ broken: 6 });
    const result = await tryAll(points, attempt, { together: 4 });
    expect(asked).toEqual([[1, 3, 5, 7], [2, 4, 6, 8], [2, 6], [4, 8], [2], [6]]);
    expect(result.results.filter(({ broken }) => broken.length > 0).map(({ point }) => point.n)).toEqual([6]);
    expect(held(result)).toBe(false);
    expect(sweepSummary({ requests: 8, ...result })).toBe(
      "8 of 16 points tried, 7 held; 2 runs with several faults did not hold",
    );
  });

  it("together, what was not reached is tried again, and alone counts as it is", async () => {
    const { asked, attempt } = runs({ reached: (group) => group.slice(0, group[0]?.n === 8 ? 0 : 1) });
    const result = await tryAll(points, attempt, { together: 2 });
    expect(asked).toEqual([[1, 5], [2, 6], [3, 7], [4, 8], [5], [6], [7], [8]]);
    expect(result.results.map(({ point, reached }) => [point.n, reached])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, true],
      [5, true],
      [6, true],
      [7, true],
      [8, false],
    ]);
    expect(sweepSummary({ requests: 8, ...result })).toMatch(/^8 of 16 points tried \(1 of them in runs that ended/);
  });

  it("ends when it is told to, and nothing tried is nothing that held", async () => {
    const { asked, attempt } = runs();
    const result = await tryAll(points, attempt, { signal: AbortSignal.abort() });
    expect(asked).toEqual([]);
    expect(held(result)).toBe(false);
  });
});
