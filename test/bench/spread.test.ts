import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadOf } from "../../bench/support/spread";

describe("the spread of measurements", () => {
  it.each([
    [[3], { median: 3, least: 3, most: 3 }],
    [[5, 1, 3], { median: 3, least: 1, most: 5 }],
    [[4, 1, 2, 3], { median: 2.5, least: 1, most: 4 }],
    [[10, 9], { median: 9.5, least: 9, most: 10 }],
  ])("of %j is %j", (samples, spread) => {
    expect(spreadOf(samples)).toEqual(spread);
  });

  it("does not depend on the order of the measurements, nor change it", () => {
    const numbers = fc.array(fc.double({ noNaN: true, min: 0, max: 1e6 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(numbers, (samples) => {
        const before = [...samples];
        expect(spreadOf(samples)).toEqual(spreadOf(samples.toReversed()));
        expect(samples).toEqual(before);
      }),
    );
  });

  it("has at least as many measurements on either side of the median", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }), (samples) => {
        const { median } = spreadOf(samples);
        expect(samples.filter((sample) => sample <= median).length * 2).toBeGreaterThanOrEqual(samples.length);
        expect(samples.filter((sample) => sample >= median).length * 2).toBeGreaterThanOrEqual(samples.length);
      }),
    );
  });

  it.each([[[]], [[1, Number.NaN]], [[Number.POSITIVE_INFINITY]]])("of %j is refused", (samples) => {
    expect(() => spreadOf(samples)).toThrow("has no median");
  });
});
