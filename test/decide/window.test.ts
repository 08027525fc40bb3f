import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Keep } from "../../components/model/appSpecification";
import type { Release } from "../../components/model/release";
import { collectVersions } from "../../components/decide/versions";
import { selectWindow, type WindowOptions } from "../../components/decide/window";

const commit = "a".repeat(40);
const now = new Date("2026-09-01T12:00:00Z");
const release = (version: string, publishedAt?: string): Release => ({
  version,
  tag: `v${version}`,
  reference: "tag",
  commit,
  ...(publishedAt !== undefined && { publishedAt }),
});
const chosen = (versions: string, options: Partial<WindowOptions> & { readonly keep: Keep }): string =>
  selectWindow(
    versions.split(" ").map((version) => release(version)),
    { now, ...options },
  )
    .releases.map(({ version }) => version)
    .join(" ");

/** Mattermost's tags in the order they were made, 2026-03 to 2026-08, and its release candidates. */
const mattermost =
  "10.11.13 11.3.3 11.4.3 11.6.0 10.11.14 11.4.4 11.5.2 11.5.3 11.6.1 10.11.15 11.4.5 11.5.4 11.7.0 10.11.17 11.5.5 11.6.2 11.7.1 " +
  "10.11.18 11.5.6 11.6.3 11.7.2 10.11.19 11.5.7 11.6.4 11.8.0 10.11.20 11.6.5 11.7.3 11.7.4 11.8.1 11.7.5 11.7.6 11.8.2 10.11.21 " +
  "11.6.6 11.8.3 11.9.0 10.11.22 11.7.7 11.8.4 11.7.8 11.10.0 10.11.23 11.7.9 11.8.5 11.9.1 11.6.0-rc3 11.6.0-rc4 11.7.0-rc1 " +
  "11.7.0-rc2 11.7.0-rc5 11.8.0-rc1 11.8.0-rc2 11.8.0-rc3 10.11.0-rc2 10.11.0-rc3";
const mattermostReleases = collectVersions(
  mattermost.split(" ").map((version) => ({ tag: `v${version}`, commit })),
  {},
).releases;
const mattermostWindow = (keep: Keep): string =>
  selectWindow(mattermostReleases, { keep, now })
    .releases.map(({ version }) => version)
    .join(" ");
const tenLatest = "11.10.0 11.9.1 11.9.0 11.8.5 11.8.4 11.8.3 11.8.2 11.8.1 11.8.0 11.7.9";

describe("selectWindow", () => {
  it("takes Mattermost's ten highest versions, not the ten youngest", () => {
    expect(mattermostWindow(10)).toBe(tenLatest);
  });

  it("finds that Mattermost's ten highest hold the highest of each of its four highest lines already", () => {
    expect(mattermostWindow({ latest: 10, perMinor: 1, minors: 4 })).toBe(tenLatest);
  });

  it("adds the highest of further lines of Mattermost, each once, in order", () => {
    expect(mattermostWindow({ latest: 10, perMinor: 1, minors: 7 })).toBe(`${tenLatest} 11.6.6 11.5.7 11.4.5`);
    expect(mattermostWindow({ latest: 2, perMinor: 2, minors: 3 })).toBe("11.10.0 11.9.1 11.9.0 11.8.5 11.8.4");
  });

  it.each<[Keep, string]>([
    [1, "2.1.0"],
    [3, "2.1.0 2.0.1 2.0.0"],
    [100, "2.1.0 2.0.1 2.0.0 1.9.3 1.9.2"],
    [0, ""],
    [{ latest: 1 }, "2.1.0"],
    [{ latest: 0, perMinor: 1, minors: 2 }, "2.1.0 2.0.1"],
    [{ latest: 1, minors: 3 }, "2.1.0 2.0.1 1.9.3"],
    [{ latest: 1, perMinor: 1 }, "2.1.0 2.0.1 1.9.3"],
    [{ latest: 1, perMinor: 9, minors: 9 }, "2.1.0 2.0.1 2.0.0 1.9.3 1.9.2"],
  ])("with keep %j", (keep, expected) => {
    expect(chosen("1.9.2 2.0.0 2.1.0 1.9.3 2.0.1", { keep })).toBe(expected);
  });

  it("fills the place of an excluded version with the next lower one", () => {
    const options = { keep: 2, exclude: ["2.1.0", "v2.0.1", "7.7.7"] };
    expect(chosen("1.9.2 2.0.0 2.1.0 1.9.3 2.0.1", options)).toBe("2.0.0 1.9.3");
    const releases = ["2.1.0", "2.0.0"].map((version) => release(version));
    expect(selectWindow(releases, { ...options, now }).withheld).toEqual([
      { version: "2.1.0", reason: "excluded by the stack" },
    ]);
  });

  it("excludes a version under any name it may have", () => {
    const all = "2026.07.2 4.6.2-r13 4.6.2-r9 4.6.2 1.2 1.0+security-01";
    expect(chosen(all, { keep: 9, exclude: ["2026.7.2", "4.6.2-r9", "1.2.0", "1.0-security-01"] })).toBe(
      "4.6.2-r13 4.6.2",
    );
    expect(chosen("12345678 1.0.0", { keep: 9, exclude: ["91a1b420"] })).toBe("12345678 1.0.0");
  });

  it("finds the lines of versions of any number of parts", () => {
    const lines = { latest: 0, perMinor: 1 };
    expect(chosen("4.3 4.1.1 4.1 4.0", { keep: lines })).toBe("4.3 4.1.1 4.0");
    expect(chosen("9.3.0.17 9.3.0.6 9.2.1.8", { keep: lines })).toBe("9.3.0.17 9.2.1.8");
    expect(chosen("2026.07.2 2026.7.1 2026.06.9", { keep: lines })).toBe("2026.07.2 2026.06.9");
    expect(chosen("4.6-r13 4.6-r9 4.5-r2", { keep: lines })).toBe("4.6-r13 4.5-r2");
    expect(chosen("11146-2 11146-1 11031", { keep: lines })).toBe("11146-2 11031");
    expect(chosen("91a1b420 beef0000", { keep: lines })).toBe("91a1b420 beef0000");
  });

  it("takes the highest remaining version of a line whose highest is excluded", () => {
    const keep = { latest: 1, perMinor: 1, minors: 2 };
    expect(chosen("1.9.2 2.0.0 1.9.3", { keep, exclude: ["1.9.3"] })).toBe("2.0.0 1.9.2");
  });

  it("holds back a release until it has been out for the minimum age, to the second", () => {
    const at = (publishedAt: string): readonly string[] =>
      selectWindow([release("2.0.0", publishedAt), release("1.0.0", "2026-01-01T00:00:00Z")], {
        keep: 1,
        minimumReleaseAgeHours: 48,
        now,
      }).releases.map(({ version }) => version);
    expect(at("2026-08-30T12:00:00Z")).toEqual(["2.0.0"]);
    expect(at("2026-08-30T12:00:01Z")).toEqual(["1.0.0"]);
    expect(at("2026-08-30T14:00:00+02:00")).toEqual(["2.0.0"]);
    expect(at("2027-01-01T00:00:00Z")).toEqual(["1.0.0"]);
    expect(at("tomorrow")).toEqual(["1.0.0"]);
  });

  it("says until when a release is held back", () => {
    const { withheld } = selectWindow([release("2.0.0", "2026-09-01T00:00:00Z")], {
      keep: 1,
      minimumReleaseAgeHours: 24,
      now,
    });
    expect(withheld).toEqual([{ version: "2.0.0", reason: "younger than 24 hours (until 2026-09-02T00:00:00.000Z)" }]);
  });

  it("does not hold back a release whose date upstream does not tell", () => {
    expect(chosen("2.0.0 1.0.0", { keep: 1, minimumReleaseAgeHours: 48 })).toBe("2.0.0");
  });

  it.each([-1, 1.5, Number.NaN, Infinity])("refuses to keep %j versions", (keep) => {
    expect(() => chosen("1.0.0", { keep })).toThrow(/keep\.latest is .*; accepted is a whole number/);
    expect(() => chosen("1.0.0", { keep: { latest: 1, perMinor: keep } })).toThrow(/keep\.perMinor/);
    expect(() => chosen("1.0.0", { keep: { latest: 1, minors: keep } })).toThrow(/keep\.minors/);
  });

  it.each([-1, Number.NaN, Infinity])("refuses a minimum age of %j hours", (minimumReleaseAgeHours) => {
    expect(() => chosen("1.0.0", { keep: 1, minimumReleaseAgeHours })).toThrow(/minimum age/);
  });
});

describe("selectWindow, for any releases", () => {
  const small = fc.integer({ min: 0, max: 5 });
  const versions = fc.uniqueArray(
    fc.tuple(small, small, small).map((parts) => parts.join(".")),
    { maxLength: 30 },
  );
  const keeps: fc.Arbitrary<Keep> = fc.oneof(
    small,
    fc.record({ latest: small, perMinor: small, minors: small }, { requiredKeys: ["latest"] }),
  );

  it("answers with a subset, the highest versions included, the same for every order", () => {
    fc.assert(
      fc.property(versions, keeps, fc.array(fc.nat(29), { maxLength: 3 }), (names, keep, positions) => {
        const releases = Object.freeze(names.map((name) => release(name)));
        const exclude = positions.flatMap((position) => names[position] ?? []);
        const window = selectWindow(releases, { keep, exclude, now }).releases;
        expect(selectWindow(releases.toReversed(), { keep, exclude, now }).releases).toEqual(window);
        expect(releases).toEqual(expect.arrayContaining([...window]));
        expect(window.filter(({ version }) => exclude.includes(version))).toEqual([]);
        const latest = typeof keep === "number" ? keep : keep.latest;
        const remaining = names.filter((name) => !exclude.includes(name));
        expect(window.length).toBeGreaterThanOrEqual(Math.min(latest, remaining.length));
        const rank = (version: string): number => Number(version.replaceAll(".", ""));
        const highest = remaining.toSorted((left, right) => rank(right) - rank(left)).slice(0, latest);
        expect(
          window
            .slice(0, latest)
            .map(({ version }) => version)
            .slice(0, highest.length),
        ).toEqual(highest);
      }),
    );
  });
});
