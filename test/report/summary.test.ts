import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppResult } from "../../components/report/appResult";
import { summaryMarkdown, summaryText } from "../../components/report/summary";
import { hostileText } from "./hostileText";

const digest = `sha256:${"a".repeat(64)}`;

const result: AppResult = {
  app: "outline",
  repository: "ghcr.io/acme/outline",
  versions: [
    {
      version: "1.9.3",
      tag: "1.9.3",
      outcome: "missing",
      platforms: [],
      reason: "the build for linux/arm64 failed: exit code 1",
      builds: [],
    },
    {
      version: "1.9.2",
      tag: "1.9.2",
      outcome: "published",
      digest,
      platforms: ["linux/amd64", "linux/arm64"],
      builds: [
        { platform: "linux/amd64", seconds: 41.6 },
        { platform: "linux/arm64", seconds: 252 },
      ],
    },
    { version: "1.9.1", tag: "1.9.1", outcome: "unchanged", digest, platforms: ["linux/amd64"], builds: [] },
  ],
  floating: [{ tag: "latest", from: "1.9.1", to: "1.9.2" }],
  notes: [],
  problems: ["1.9.3 is not complete"],
  verify: (reference) => `cosign verify ${reference}`,
};

describe("summaryMarkdown", () => {
  it("says what happened and why, and how to pull and verify", () => {
    expect(summaryMarkdown([result])).toBe(
      [
        "## Mirror",
        "",
        "**1 app: 1 published, 1 unchanged, 1 missing, 1 problem**",
        "",
        "### `outline` in `ghcr.io/acme/outline`",
        "",
        "1 published, 1 unchanged, 1 missing.",
        "",
        "| version | outcome | platforms | built in | digest |",
        "| --- | --- | --- | --- | --- |",
        "| `1.9.3` | missing | - | - | - |",
        `| \`1.9.2\` | published | \`linux/amd64\` \`linux/arm64\` | \`linux/amd64 42 s, linux/arm64 4 min 12 s\` | \`${digest}\` |`,
        "",
        "**Missing or waiting**",
        "",
        "- `1.9.3: the build for linux/arm64 failed: exit code 1`",
        "",
        "**Problems**",
        "",
        "- `1.9.3 is not complete`",
        "",
        "**Floating tags**",
        "",
        "- `latest: 1.9.1 → 1.9.2`",
        "",
        "```console",
        "docker pull ghcr.io/acme/outline:1.9.2",
        `cosign verify ghcr.io/acme/outline@${digest}`,
        "```",
        "",
      ].join("\n"),
    );
  });

  it("names no command for an app of which nothing is published, nor a verification for what is not signed", () => {
    const unsigned: AppResult = { ...result };
    delete (unsigned as { verify?: unknown }).verify;
    expect(summaryMarkdown([unsigned])).not.toContain("cosign");
    expect(summaryMarkdown([{ ...result, versions: result.versions.slice(0, 1) }])).not.toContain("docker pull");
  });

  it("of a build job names its part, leaves out columns nothing stands in, and explains no words that the others explain", () => {
    const built = result.versions.map(({ version, tag, platforms }) => ({
      ...{ version, tag, platforms, builds: [] },
      outcome: "built" as const,
    }));
    const markdown = summaryMarkdown([{ ...result, versions: built }], { part: "build linux/arm64", explain: false });
    expect(markdown).toMatch(/^## Mirror: build linux\/arm64$/m);
    expect(markdown).toContain("| version | outcome | platforms |\n");
    expect(markdown).not.toContain("(built: ");
    expect(summaryMarkdown([{ ...result, versions: built }])).toContain("(built: ");
  });

  it("names versions together that are missing for the same reason", () => {
    const same = Array.from({ length: 8 }, (_, minor) => ({
      ...result.versions[0]!,
      version: `1.${minor}`,
      reason: "401",
    }));
    expect(summaryMarkdown([{ ...result, versions: [...same, result.versions[0]!] }])).toContain(
      "- `1.0, 1.1, 1.2, 1.3, 1.4 and 3 more: 401`\n- `1.9.3: the build for",
    );
  });

  it("counts a floating tag that was not written among the problems, and lists it there", () => {
    const unwritten = [{ tag: "latest", problem: "floating tag latest could not be written" }];
    const markdown = summaryMarkdown([{ ...result, unwritten }]);
    expect(markdown).toContain("1 missing, 2 problems**");
    expect(markdown).toContain("- `1.9.3 is not complete`\n- `floating tag latest could not be written`");
    expect(summaryText([{ ...result, unwritten }])).toContain("PROBLEM floating tag latest could not be written");
  });

  it("counts no versions as such", () => {
    expect(summaryMarkdown([{ ...result, versions: [], problems: [] }])).toContain("**1 app: no versions**");
    expect(summaryMarkdown([])).toContain("**0 apps: no versions**");
  });

  it("keeps its shape, whatever the texts are", () => {
    const shape = (markdown: string) => markdown.split("\n").map((line) => [line.slice(0, 2), line.split("|").length]);
    const hostile = (text: string): AppResult => ({
      ...result,
      app: text,
      versions: result.versions.map((version) => ({
        ...version,
        version: text,
        tag: text,
        reason: text,
        digest: text,
      })),
      floating: [{ tag: text, from: text, to: text, note: text }],
      notes: [text],
      problems: [text],
      unwritten: [{ tag: text, problem: text }],
      verify: () => `verify ${text}`,
    });
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(shape(summaryMarkdown([hostile(text)]))).toEqual(shape(summaryMarkdown([hostile("x")])));
        expect(summaryMarkdown([hostile(text)])).not.toMatch(/^\s*::|##\[|</m);
        expect(summaryText([hostile(text)], 10_000).split("\n").length).toBe(
          summaryText([hostile("x")]).split("\n").length,
        );
        expect(summaryText([hostile(text)])).not.toMatch(/^\s*::|##\[|<\{/m);
      }),
      { numRuns: 500 },
    );
  });
});

describe("summaryText", () => {
  it("says the same to a terminal", () => {
    expect(summaryText([result])).toBe(
      [
        "1 app: 1 published, 1 unchanged, 1 missing, 1 problem",
        "",
        "outline (ghcr.io/acme/outline): 1 published, 1 unchanged, 1 missing",
        "  version  outcome    built in",
        "  1.9.3    missing    -",
        "  1.9.2    published  linux/amd64 42 s, linux/arm64 4 min 12 s",
        "  - 1.9.3: the build for linux/arm64 failed: exit code 1",
        "  - latest: 1.9.1 → 1.9.2",
        "  - PROBLEM 1.9.3 is not complete",
      ].join("\n"),
    );
  });

  it("names versions together whose reasons differ by nothing but the version", () => {
    const versions = ["2.0", "1.9"].map((version) => ({
      ...{ ...result.versions[0]!, version },
      reason: `the registry gave no usable answer: GET https://ghcr.io/v2/acme/outline/manifests/${version}: ECONNREFUSED`,
    }));
    const text = summaryText([{ ...result, versions, floating: [], problems: [] }]);
    expect(text.split("\n").at(-1)).toBe(
      "  - 2.0, 1.9: the registry gave no usable answer: GET https://ghcr.io/v2/acme/outline/manifests/VERSION: ECONNREFUSED",
    );
  });

  it("names versions together that ended for the same reason, where their builds printed the same", () => {
    const [failed] = result.versions;
    const versions = ["2.0", "1.9", "1.8", "1.7"].map((version) => ({
      ...failed!,
      ...{ version, reason: "linux/amd64: exit code 1", log: ["linux/amd64 RUN make", version === "1.8" ? "b" : "a"] },
    }));
    const text = summaryText([{ ...result, versions, floating: [], problems: [] }]);
    expect(text.split("\n").slice(-6)).toEqual([
      "  - 2.0, 1.9, 1.7: linux/amd64: exit code 1",
      "    | linux/amd64 RUN make",
      "    | a",
      "  - 1.8: linux/amd64: exit code 1",
      "    | linux/amd64 RUN make",
      "    | b",
    ]);
  });
});
