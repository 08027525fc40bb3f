import { describe, expect, it } from "vitest";
import { officialChanges, type OfficialSeen } from "../../components/plan/watchOfficial";
import type { Platform } from "../../components/model/platform";

const amd: Platform = "linux/amd64";
const arm: Platform = "linux/arm64";
const now = new Date("2026-06-10T12:00:00Z");
const old = "2026-06-01T00:00:00Z";
const young = "2026-06-10T09:00:00Z";

/** Highest first: version, platforms (undefined: no image), date. */
type Row = readonly [version: string, platforms?: readonly Platform[] | undefined, publishedAt?: string];
const seen = (rows: readonly Row[]): readonly OfficialSeen[] =>
  rows.map(([version, platforms, publishedAt = old]) => ({ version, publishedAt, ...(platforms && { platforms }) }));
const changes = (rows: readonly Row[], recorded: Readonly<Record<string, readonly Platform[]>> = {}) =>
  officialChanges(seen(rows), { wanted: [amd, arm], recorded, now });

describe("officialChanges", () => {
  it.each<[string, readonly Row[], readonly string[]]>([
    [
      "nothing when all have all",
      [
        ["2", [amd, arm]],
        ["1", [amd, arm]],
      ],
      [],
    ],
    [
      "nothing of what upstream never had",
      [
        ["2", [arm]],
        ["1", [arm]],
      ],
      [],
    ],
    ["nothing where there is no image at all", [["2"], ["1"]], []],
    [
      "that it dropped one",
      [
        ["7.2.0", [amd]],
        ["7.1.8", [amd]],
        ["7.1.7", [amd, arm]],
        ["7.1.6", [amd, arm]],
      ],
      ["upstream dropped linux/arm64 after 7.1.7: 7.2.0, 7.1.8 lack it"],
    ],
    [
      "that it is late, within a day",
      [
        ["2", [amd], young],
        ["1", [amd, arm]],
      ],
      ["upstream is late with linux/arm64: 1 has it, 2 not yet"],
    ],
    [
      "that it gained one",
      [
        ["3", [amd, arm]],
        ["2", [amd, arm]],
        ["1", [amd]],
      ],
      ["upstream gained linux/arm64 with 2"],
    ],
    [
      "that it left one out in between",
      [
        ["4", [amd, arm]],
        ["3", [amd]],
        ["2", [amd, arm]],
        ["1", [amd, arm]],
      ],
      ["upstream left linux/arm64 out of 3"],
    ],
    [
      "both, where it gained one and left it out once",
      [
        ["4", [amd, arm]],
        ["3", [amd]],
        ["2", [amd, arm]],
        ["1", [amd]],
      ],
      ["upstream gained linux/arm64 with 2", "upstream left linux/arm64 out of 3"],
    ],
    ["that an image is missing", [["2"], ["1", [amd, arm]]], ["upstream publishes no image of 2"]],
    [
      "that an image is not there yet",
      [
        ["2", undefined, young],
        ["1", [amd, arm]],
      ],
      ["upstream has not published its image of 2 yet"],
    ],
  ])("says %s", (_, rows, lines) => {
    expect(changes(rows)).toEqual(lines);
  });

  it("takes a version whose date nobody tells for old", () => {
    const rows = [
      { version: "2", platforms: [amd] },
      { version: "1", platforms: [amd, arm] },
    ];
    expect(officialChanges(rows, { wanted: [arm], recorded: {}, now })).toEqual([
      "upstream dropped linux/arm64 after 1: 2 lacks it",
    ]);
  });

  it("says what an earlier run saw otherwise", () => {
    expect(
      changes(
        [
          ["2", [amd, arm]],
          ["1", [amd]],
        ],
        { "2": [amd], "1": [amd, arm], "0": [] },
      ),
    ).toEqual([
      "upstream gained linux/arm64 with 2",
      "upstream lost linux/arm64 of 1, which had it before",
      "upstream brought linux/arm64 of 2 later than the rest",
    ]);
  });

  it("looks at the platforms that matter only", () => {
    const rows = seen([
      ["2", [amd]],
      ["1", [amd, "linux/s390x"]],
    ]);
    expect(officialChanges(rows, { wanted: [amd, arm], recorded: {}, now })).toEqual([]);
  });
});
