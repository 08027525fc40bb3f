import { describe, expect, it } from "vitest";
import { entries } from "../e2e/support/entry";
import { spreadSample } from "../../tools/sweep/spreadSample";
import { held, sweep, sweepSummary } from "../../tools/sweep/sweep";

/** `SWEEP_SEED` makes a sample again that was printed before. The whole sweep is `npm run sweep`. */
const seed = Number(process.env["SWEEP_SEED"] ?? Date.now() % 2 ** 32);
/** For each entry. */
const points = 3;

describe.each(entries)("the sweep through %s", (through) => {
  it("F12 loses nothing when any one registry request fails, and one clean run completes everything", async () => {
    console.log(`seed ${seed}`);
    const result = await sweep({
      through,
      choose: (all) => spreadSample(all, points, seed),
      progress: (line) => console.log(line),
    });
    console.log(sweepSummary(result));
    expect(result.results).toHaveLength(points);
    expect(result.results.filter(({ broken }) => broken.length > 0)).toEqual([]);
    expect(held(result)).toBe(true);
  });
});
