import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRetryAfter, retryDelay } from "../../components/registry/originHealth";

describe("retryDelay", () => {
  it("never is less than asked for, and without a wish never more than ten seconds", () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(100_000), random, (tries, asked, jitter) => {
        expect(retryDelay(tries, asked, jitter)).toBeGreaterThanOrEqual(asked);
        expect(retryDelay(tries, undefined, jitter)).toBeLessThanOrEqual(10_000);
        expect(retryDelay(tries, undefined, jitter)).toBeGreaterThanOrEqual(125);
      }),
    );
  });

  it("doubles", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((tries) => retryDelay(tries, undefined, 1))).toEqual([
      250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000,
    ]);
  });
});

describe("parseRetryAfter", () => {
  const date = "Sat, 21 Nov 2026 08:00:00 GMT";
  it.each([
    [undefined, undefined],
    ["0", 0],
    ["120", 120_000],
    ["Sat, 21 Nov 2026 08:01:00 GMT", 60_000],
    ["Sat, 21 Nov 2026 07:00:00 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["2026", 2_026_000],
    ["9".repeat(400), undefined],
  ])("reads %j", (value, milliseconds) => {
    expect(parseRetryAfter(value, date)).toBe(milliseconds);
  });
});
