import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, isSameVersion, isVersion, lineOf, naturalOrder } from "../../components/model/version";

const sorted = (names: string): string => names.split(" ").toSorted(compareVersions).join(" ");

describe("compareVersions", () => {
  it.each([
    ["semantic versions", "11.10.0 11.9.1 11.9.0 10.11.23 9.0.0"],
    ["numbers of different counts", "10 9.3.0.17 9.3.0.6 9.3 9.2.9 9"],
    ["leading zeros, which do not count", "2026.10.0 2026.07.2 2026.7.1 2026.06.9 2024.06.57"],
    ["revisions, which belong to their version", "4.6.3 4.6.2.1 4.6.2-r13 4.6.2-r9 4.6.2 4.6.1-r20"],
    ["patch levels", "2.4.0 2.3.0p20 2.3.0p9 2.3.0"],
    ["build metadata", "12.0.1 12.0.0+security-02 12.0.0+security-01 12.0.0"],
    ["pre-releases, which come before their version", "2.0.0 2.0.0-rc10 2.0.0-rc2 2.0.0-beta.1 1.9.9"],
    ["times", "2025-10-15T17-29-55Z 2025-10-15T09-00-00Z 2025-09-07T16-13-09Z"],
    ["dates with a letter", "2026-10 2026-07b 2026-07a 2026-07"],
    ["dates with a commit", "240916-0b1c2d3e4 240915-e1280b2fb 231231-fffffffff"],
    ["names with underscores", "10_0_P2 10_0_P1 9_9_P2 9_9_P1"],
    ["commits of a branch, which come last", "1.10.0 1.9.0 91a1b420 beef0000"],
  ])("orders %s", (_, expected) => {
    const names = expected.split(" ");
    expect(sorted(names.toReversed().join(" "))).toBe(expected);
    expect(sorted(names.toSorted().join(" "))).toBe(expected);
  });

  it("puts numbers of any length in one place", () => {
    const [long, longer] = [`1.${"8".repeat(400)}`, `1.${"9".repeat(401)}`];
    expect([long, longer, "1.2"].toSorted(compareVersions)).toEqual([longer, long, "1.2"].toSorted(compareVersions));
    expect(compareVersions(long, longer)).toBe(-compareVersions(longer, long));
    expect(compareVersions(long, longer)).not.toBe(0);
  });

  it("keeps the order that records of earlier runs were written in", () => {
    const record = ["11.10.0", "11.9.1", "0.10.0", "0.9.12", "91a1b420", "c0ffee01"];
    expect(record.toReversed().toSorted(compareVersions)).toEqual(record);
  });

  it("is a total order, in which only equal names are equal", () => {
    const part = fc.constantFrom("0", "1", "01", "9", "10", "010");
    const rest = fc.constantFrom("", "", "-1", "-r9", "-r13", "-r013", "p2", "+1", "-rc1", "-07a", "T1");
    const name = fc.oneof(
      fc
        .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), rest)
        .map(([parts, revision]) => parts.join(".") + revision),
      fc.constantFrom("91a1b420", "c0ffee01", "12345678", "latest", ""),
    );
    fc.assert(
      fc.property(name, name, name, (one, two, three) => {
        for (const order of [compareVersions, naturalOrder]) {
          expect(Math.sign(order(one, two)) + Math.sign(order(two, one))).toBe(0);
          expect(order(one, two) === 0).toBe(one === two);
          if (order(one, two) <= 0 && order(two, three) <= 0) expect(order(one, three)).toBeLessThanOrEqual(0);
        }
        if (isSameVersion(one, two) && isSameVersion(two, three)) expect(isSameVersion(one, three)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("isSameVersion", () => {
  it.each([
    ["1.2", "1.2.0"],
    ["2026.7.1", "2026.07.1"],
    ["1.0.0+1", "1.0.0-1"],
    ["1.0-r09", "1.0-r9"],
    ["91a1b420", "91a1b420"],
  ])("takes %s and %s for one", (left, right) => expect(isSameVersion(left, right)).toBe(true));

  it.each([
    ["1.2", "1.20"],
    ["1.2", "1.2-1"],
    ["1.2-1", "1.2.1"],
    ["91a1b420", "91a1b421"],
  ])("tells %s from %s", (left, right) => expect(isSameVersion(left, right)).toBe(false));
});

describe("lineOf", () => {
  it.each([
    ["11.10.0", "11", "11.10"],
    ["2026.07.2", "2026", "2026.07"],
    ["4.6-r13", "4", "4.6"],
    ["11146-2", "11146", undefined],
    ["2025-10-15T17-29-55Z", "2025", undefined],
    ["91a1b420", undefined, undefined],
  ])("of %s is %s and %s", (version, major, minor) => {
    expect([lineOf(version, 1), lineOf(version, 2)]).toEqual([major, minor]);
  });
});

describe("isVersion", () => {
  it("does not take the name of a commit for a number", () => {
    expect(["91a1b420", "1234567a", "abcdef01", "latest", ""].filter(isVersion)).toEqual([]);
    expect(["20260101", "1", "1.2", "1234567g", "91a1b4200"].every(isVersion)).toBe(true);
  });
});
