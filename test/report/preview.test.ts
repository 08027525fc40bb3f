import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignedTable } from "../../components/report/alignedTable";
import type { AppReport } from "../../components/report/appReport";
import { previewText, previewMarkdown } from "../../components/report/preview";
import { hostileText } from "./hostileText";
import { sample } from "./reports";

describe("previewText", () => {
  it("shows a table of versions and platforms, and below it what else there is to say", () => {
    expect(previewText([sample])).toBe(
      [
        "mattermost (ghcr.io/acme/mattermost)",
        "  version  state      linux/amd64  linux/arm64",
        "  11.10.0  missing    will build   not offered",
        "  11.9.1   published  published    published",
        "  9.5.0    unknown    unknown      -",
        "  (not offered: upstream has not published what it is built from)",
        "  (unknown: the registry gave no usable answer, so nothing is built and nothing overwritten)",
        "  floating tags:",
        "    - latest: 11.9.1 → 11.10.0",
        "  notes:",
        "    - upstream publishes linux/arm64 itself: 11.9.1",
        "    - 11.10.0 linux/arm64: https://example.org/a.tar.gz answers 404",
        "    - 11.9.1: unsigned",
        "  tags that are not mirrored:",
        '    - "v1.0.0$(id)": no version',
        "  problems:",
        "    - discovery failed",
        "    - 9.5.0: the registry answered 500",
      ].join("\n"),
    );
  });

  it("shows the tag where it is not the version", () => {
    const [first] = sample.versions;
    const report = { ...sample, versions: first ? [{ ...first, tag: "v11.10.0" }] : [] };
    expect(previewText([report])).toContain("  version  tag       state    linux/amd64  linux/arm64\n");
  });

  it("explains a word once, where it appears first", () => {
    const text = previewText([sample, { ...sample, app: "other" }]);
    expect(text.match(/\(not offered: /g)).toHaveLength(1);
    expect(text.indexOf("(not offered: ")).toBeLessThan(text.indexOf("other ("));
  });

  it("is one line for an app with nothing to do, and its notes", () => {
    const versions = ["2.0.0", "1.9.0", "1.8.0"].map((version) => ({
      ...{ version, tag: version, state: "adopted" as const },
      platforms: [{ platform: "linux/amd64" as const, state: "adopted" as const }],
    }));
    const settled = { ...sample, versions, floating: [], problems: [], notes: ["upstream moved a tag"] };
    expect(previewText([settled])).toBe(
      [
        "mattermost (ghcr.io/acme/mattermost): all 3 versions published, 1.8.0 to 2.0.0; tags that are not mirrored: 1",
        "  notes:",
        "    - upstream moved a tag",
      ].join("\n"),
    );
    for (const odd of [
      { problems: ["discovery failed"] },
      { floating: sample.floating },
      { versions: [{ ...versions[0]!, notes: ["unsigned"] }] },
      {
        versions: [
          { ...versions[0]!, platforms: [{ platform: "linux/arm64" as const, state: "not offered" as const }] },
        ],
      },
    ])
      expect(previewText([{ ...settled, ...odd }])).toContain("  version  state");
  });

  it("says so when an app has no versions, and separates apps", () => {
    const empty = { ...sample, app: "empty", versions: [], floating: [], rejected: [], notes: [], problems: [] };
    expect(previewText([empty, empty])).toBe(
      "empty (ghcr.io/acme/mattermost)\n  no versions\n\nempty (ghcr.io/acme/mattermost)\n  no versions",
    );
  });

  it("summarises ten thousand rejected tags, but leaves out no problem", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ tag: `t${index}`, reason: "no version" }));
    const problems = many.slice(0, 50).map(({ tag }) => `problem ${tag}`);
    const text = previewText([{ ...sample, rejected: many, problems }]);
    expect(text).toContain('    - "t19": no version\n    - and 9980 more tags\n');
    expect(text).not.toContain('"t20"');
    expect(text.match(/problem t/g)).toHaveLength(50);
  });

  it("still shows the reason behind a tag of 300 characters", () => {
    const text = previewText([{ ...sample, rejected: [{ tag: "x".repeat(300), reason: "too long" }] }]);
    expect(text).toContain('…": too long');
  });

  it.each([
    [{ tag: "latest", to: "1.0.0" }, "latest: new → 1.0.0"],
    [{ tag: "1.1", from: "1.1.0", to: "1.1.0" }, "1.1: follows 1.1.0"],
    [{ tag: "latest", from: "1.0.0", note: "moved by others" }, "latest: stays at 1.0.0 (moved by others)"],
    [{ tag: "latest", note: "nothing is complete" }, "latest: left as it is (nothing is complete)"],
  ])("says of the floating tag %j: %s", (floating, expected) => {
    expect(previewText([{ ...sample, floating: [floating] }])).toContain(`    - ${expected}\n`);
  });
});

describe("alignedTable", () => {
  it("continues columns that do not fit in a block of their own, with the first column again", () => {
    const rows = [
      ["version", "aaaaaaaaaa", "bbbbbbbbbb"],
      ["1.0.0", "x", "y"],
    ];
    expect(alignedTable(rows, 20)).toEqual([
      "version  aaaaaaaaaa",
      "1.0.0    x",
      "",
      "version  bbbbbbbbbb",
      "1.0.0    y",
    ]);
    expect(alignedTable(rows, 31)).toEqual(["version  aaaaaaaaaa  bbbbbbbbbb", "1.0.0    x           y"]);
  });
});

describe("previewMarkdown", () => {
  it("shows the same as a Markdown table and lists", () => {
    expect(previewMarkdown([sample])).toBe(
      [
        "### `mattermost` in `ghcr.io/acme/mattermost`",
        "",
        "| version | tag | state | `linux/amd64` | `linux/arm64` |",
        "| --- | --- | --- | --- | --- |",
        "| `11.10.0` | `11.10.0` | missing | will build | not offered |",
        "| `11.9.1` | `11.9.1` | published | published | published |",
        "| `9.5.0` | `9.5.0` | unknown | unknown | - |",
        "",
        "**Problems**",
        "",
        "- `discovery failed`",
        "- `9.5.0: the registry answered 500`",
        "",
        "**Floating tags**",
        "",
        "- `latest: 11.9.1 → 11.10.0`",
        "",
        "**Notes**",
        "",
        "- `upstream publishes linux/arm64 itself: 11.9.1`",
        "- `11.10.0 linux/arm64: https://example.org/a.tar.gz answers 404`",
        "- `11.9.1: unsigned`",
        "",
        "**Tags that are not mirrored**",
        "",
        '- `"v1.0.0$(id)": no version`',
        "",
        "(not offered: upstream has not published what it is built from)",
        "",
        "(unknown: the registry gave no usable answer, so nothing is built and nothing overwritten)",
        "",
      ].join("\n"),
    );
  });
});

describe("any report", () => {
  const reports = hostileText.chain((text) => fc.tuple(fc.constant(text), hostileText));

  it("keeps the shape of its tables and lists, whatever the texts are", () => {
    fc.assert(
      fc.property(reports, ([one, other]) => {
        const plain = reportOf("x", "y");
        const hostile = reportOf(one, other);
        expect(shape(previewMarkdown([hostile]))).toEqual(shape(previewMarkdown([plain])));
        expect(previewText([hostile], 10_000).split("\n").length).toBe(previewText([plain], 10_000).split("\n").length);
        expect(previewText([hostile])).not.toMatch(/^\s*::|##\[|<\{/m);
        expect(previewMarkdown([hostile])).not.toMatch(/^\s*::|##\[|<(?!\{)|[^`\w]@/m);
      }),
      { numRuns: 500 },
    );
  });

  /** Per line: how it starts and how many cells and code marks it has. */
  function shape(markdown: string) {
    return markdown.split("\n").map((line) => [line.slice(0, 2), line.split("|").length, line.split("`").length]);
  }

  function reportOf(one: string, other: string): AppReport {
    const filled = (text: string) => (text === "" ? "x" : text);
    const [a, b] = [filled(one), filled(other)];
    return {
      app: a,
      repository: b,
      versions: [
        {
          version: a,
          tag: `${a} ${b}`,
          state: "missing",
          platforms: [{ platform: `linux/${b}`, state: "partial", note: a }],
          problem: b,
        },
      ],
      floating: [{ tag: a, from: b, to: a, note: b }],
      rejected: [{ tag: b, reason: a }],
      notes: [a],
      problems: [b],
    };
  }
});
