import { describe, expect, it } from "vitest";
import { doubtAbout } from "../../components/decide/doubts";
import { collectVersions } from "../../components/decide/versions";

const commit = "a".repeat(40);
const doubt = (tags: string, tagRule?: RegExp, exclude: readonly string[] = []): string | undefined =>
  doubtAbout(
    collectVersions(
      tags.split(" ").map((tag) => ({ tag, commit })),
      tagRule ? { tagRule } : {},
    ),
    { tagRule, exclude },
  );
const threeParts = /^v(\d+\.\d+\.\d+)$/;

const lines = (from: string, count: number, to: string): string =>
  Array.from({ length: count }, (_, index) => `${from}${index + 1}${to}`).join(" ");

describe("doubtAbout", () => {
  it.each<readonly [string, RegExp | undefined, string, string]>([
    ["release-2.0.0 v1.9.1 v1.9.0", undefined, "release-2.0.0", "v1.9.1"],
    ["v2_0_0 v1.9.1", undefined, "v2_0_0", "v1.9.1"],
    ["v1.9.1-r3 v1.9.1", undefined, "v1.9.1-r3", "v1.9.1"],
    ["v2.0.0+build v2.0.0-final v1.9.1", undefined, "v2.0.0-final", "v1.9.1"],
    ["v5 v4.9.1", undefined, "v5", "v4.9.1"],
    ["2026-07a v1.9.1", undefined, "2026-07a", "v1.9.1"],
    ["v9.3.1.17 v9.3.0", threeParts, "v9.3.1.17", "v9.3.0"],
    ["v11.12 v11.10.0", threeParts, "v11.12", "v11.10.0"],
    ["v9.3.0p1 v9.3.0", threeParts, "v9.3.0p1", "v9.3.0"],
    ["v2.26.0--v2024.10.19--b9204a9 v2.23.0 v2.22.2", undefined, "v2.26.0--v2024.10.19--b9204a9", "v2.23.0"],
    [`${lines("12.", 10, "-0")} 11.4 1.5.1`, undefined, "12.10-0", "11.4"],
    [`${lines("jenkins-2.", 10, "")} 1.385 1.384`, undefined, "jenkins-2.10", "1.385"],
    [`${lines("@scope/app@2.", 10, ".0")} v1.0.0`, undefined, "@scope/app@2.10.0", "v1.0.0"],
    ["app_1_26 app_1_25_2 app_1_25_1", /^app_(?<version>\d+_\d+_\d+)$/, "app_1_26", "app_1_25_2"],
    ["v1.99999999999999999999.0 v1.9.1", undefined, "v1.99999999999999999999.0", "v1.9.1"],
  ])("of %s by %s names the tag that seems higher and the highest version", (tags, rule, higher, highest) => {
    expect(doubt(tags, rule)).toContain(
      `upstream's tag "${higher}" is not a version by the tag rule, but looks higher than the highest, "${highest}"`,
    );
  });

  it.each<readonly [string, RegExp | undefined]>([
    ["v2.0.0-rc1 v2.0.0-0 v2.0.0-beta.3 v2.0.0b1 v1.9.1", undefined],
    ["v1.9.1-final v1.9.1-lts v1.9 v1 v1.9.1", undefined],
    ["v0.108.0-b.90 v0.109.0-next.1 v0.110.0-temp.2 v0.107.79", undefined],
    [`${lines("v2.", 10, ".0-0")} ${lines("v2.", 10, ".0")} v2.11.0-0`, undefined],
    [`${lines("chart-12.", 10, "")} ${lines("v1.", 10, ".0")}`, undefined],
    ["app_1_8 app_1_25_2 app_1_25_1", /^app_(?<version>\d+_\d+_\d+)$/],
    ["v99.99.99.4478 v9.3.0.17", undefined],
    ["server/public/v20.1.21 cloud-2026-08-01-1 nightly-2026-07-01 v11.9.1", undefined],
    ["r1434511043 v1.0.0", undefined],
    ["v12.0.0 v11.10.0", /^v(11\.\d+\.\d+)$/],
    ["v12.0.0 v11.10.0-limitless", /^v(\d+\.\d+\.\d+)-limitless$/],
    ["168 1.43.3.10828-00f62d37d-ls314", /^(?<version>\d+\.\d+\.\d+\.\d+)-[0-9a-f]+-ls(?<revision>\d+)$/],
    ["v11.9 v11.9.1.0 v11.10.0", threeParts],
    ["v2.0.0$(id) v1.9.1", undefined],
  ])("has nothing to say of %s by %s", (tags, rule) => {
    expect(doubt(tags, rule)).toBeUndefined();
  });

  it("names a version that leaps a a hundred times over the next", () => {
    expect(doubt("20260101.0.0 2026.1.0 2025.9.0")).toMatch(
      /^version "20260101\.0\.0" is more than a hundred times the next, "2026\.1\.0"; say in the app's tagRule/,
    );
    expect(doubt("20260102.0.0 20260101.0.0 2026.1.0")).toMatch(/"20260101\.0\.0" .* "2026\.1\.0"/);
    expect(doubt("2026.1.0 15.2.0")).toMatch(/"2026\.1\.0" .* "15\.2\.0"/);
  });

  it("takes a leap that ten versions have followed for a change of scheme, and small numbers for no leap", () => {
    const followed = Array.from({ length: 10 }, (_, index) => `2026.${index}.0`);
    expect(doubt([...followed, "0.118.5"].join(" "))).toBeUndefined();
    expect(doubt([...followed.slice(1), "0.118.5"].join(" "))).toMatch(/a hundred times/);
    expect(doubt("1.0.0 0.9.0")).toBeUndefined();
    expect(doubt("99.0.0 0.9.0")).toBeUndefined();
    expect(doubt("20260101.0.0")).toBeUndefined();
  });

  it("says nothing of what upstream marks as a draft or a pre-release", () => {
    const flagged = [
      { tag: "release-2.0.0", commit, prerelease: true },
      { tag: "release-3.0.0", commit, draft: true },
    ];
    const found = collectVersions([...flagged, { tag: "v1.9.1", commit }], {});
    expect(doubtAbout(found, { tagRule: undefined, exclude: [] })).toBeUndefined();
  });

  it("is settled by excluding the tag or the version", () => {
    expect(doubt("release-2.0.0 v1.9.1", undefined, ["release-2.0.0"])).toBeUndefined();
    expect(doubt("20260101.0.0 2026.1.0", undefined, ["20260101.0"])).toBeUndefined();
  });

  it("says nothing of commits, which have no order", () => {
    const head = { version: "91a1b420", tag: "master", reference: "branch", commit } as const;
    expect(doubtAbout({ releases: [head], rejected: [] }, { tagRule: undefined, exclude: [] })).toBeUndefined();
  });
});
