import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sandboxParts, type FaultRule } from "../../tools/sandbox/faultRule";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { until } from "./support/until";
import { Watch } from "./support/watch";

/** As git refuses them only on the command line, and a release API not at all. */
const hostileTags = [
  "v1.0.0$(touch${IFS}canary)",
  "v1.0.0;touch${IFS}canary",
  "v1.0.0`touch${IFS}canary`",
  "v1.0.0|canary",
  "-v1.0.0",
  "--upload-pack=touch${IFS}canary",
  "v１.0.0",
  `v1.0.${"0".repeat(300)}`,
  "::error::canary",
  "##[error]canary",
];
const onlyInReleases = [
  "v1.0.0$(touch canary)",
  "v1.0.0\n::set-env name=PATH::canary",
  "../../canary",
  "v1.0.0\0",
  "\u001b[31mv1.0.0",
];
const releasesOf = "upstream/listed";

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      const { commits } = await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
      await tinyUpstream(sandbox, releasesOf, [
        { version: "2.0.0", tags: ["v2.0.0", "v2.1.0-rc.1", "v2.2.0", "v2.3.0"] },
      ]);
      addTags(sandbox.folder, "tiny.git", commits[0] ?? "", [...hostileTags, ...thousands(10_000)]);
      sandbox.setReleases(releasesOf, valid);
      return { tiny: tinyAppFile(sandbox, "tiny"), listed: listedAppFile() };
    },
  });
  mirror.configure({ apps: { tiny: {}, listed: { repository: `${mirror.sandbox.urls.git}/${releasesOf}.git` } } });
});

afterAll(() => mirror?.stop());

const valid = [
  { tag_name: "v2.3.0", draft: true },
  { tag_name: "v2.2.0", prerelease: true },
  { tag_name: "v2.1.0-rc.1" },
  { tag_name: "v2.0.0" },
  { tag_name: "v2.0.0" },
  ...[...hostileTags, ...onlyInReleases].map((tag) => ({ tag_name: tag })),
];

it("F20 hostile tag names are rejected with a line each, long lists summed up, and the other versions proceed", async () => {
  const preview = await mirror.preview();
  const rejected = preview.output.split("\n").filter((line) => /^ +- "/.test(line));
  expect(rejected.length).toBeGreaterThan(onlyInReleases.length);
  expect(rejected.length).toBeLessThan(50);
  expect(preview.output).toMatch(/and 99\d\d more tags/);
  expectHarmless(preview);
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
  expect(up.exitCode).toBe(0);
  expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
  expect(await mirror.registry.tags("listed")).toEqual(["2.0.0", "latest"]);
  expectHarmless(up);
});

it("F23 an app whose list cannot be had, or is no list, fails alone and keeps its versions; a mix of releases gives exactly the stable ones", async () => {
  const before = (await mirror.exportState()).resources.map(({ urn }) => urn).filter(isImage);
  expect(before).toHaveLength(8);
  const many = Array.from({ length: 150 }, (_, number) => ({ tag_name: `v3.${number}.0` }));
  const answer = { part: "releases", path: "/releases\\?" } as const;
  const cases: readonly (readonly [string, readonly FaultRule[], (readonly { readonly tag_name: string }[])?])[] = [
    ["truncated JSON", [{ ...answer, status: 200, body: '[{"tag_name": "v2.0.0", "dra' }]],
    ["a web page with status 200", [{ ...answer, status: 200, body: "<html><h1>::error::canary</h1></html>" }]],
    ["an empty list", [{ ...answer, status: 200, body: [] }]],
    ["a list that goes down after its first page", [{ ...answer, skip: 1, status: 502, body: "bad gateway" }], many],
    ["pages that repeat", [{ ...answer, status: 200, body: many.slice(0, 100).map(asListed) }]],
  ];
  const watch = await Watch.begin(mirror, ["tiny", "listed"]);
  for (const [name, rules, releases] of cases) {
    if (releases) mirror.sandbox.setReleases(releasesOf, releases);
    mirror.sandbox.setRules(rules);
    const run = await mirror.preview();
    expect(run.exitCode, name).not.toBe(0);
    expect(errorsOf(run), name).toMatch(/^listed: /m);
    expect(errorsOf(run), name).not.toMatch(/^tiny: /m);
    expect(changesOf(run), name).toEqual([]);
    expectHarmless(run);
  }
  mirror.sandbox.setRules([{ ...answer, status: 503, body: "unavailable" }]);
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  const up = await mirror.up();
  mirror.sandbox.clearRules();
  expect(up.exitCode).not.toBe(0);
  expect(Object.keys(up.outputs.published?.["listed"]?.versions ?? {})).toEqual(["2.0.0"]);
  expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
  mirror.sandbox.setReleases(releasesOf, valid);
  const next = await mirror.up();
  expect(next.exitCode, next.output).toBe(0);
  expect(changesOf(next)).toEqual([]);
  expect(Object.keys(next.outputs.published?.["listed"]?.versions ?? {})).toEqual(["2.0.0"]);
  expect(await watch.damage()).toEqual([]);
});

it("F24 a tag that upstream moves after its version was published changes nothing but a warning; one that moves between looking and building fails the build", async () => {
  const { commits } = await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.0.0 moved", tags: ["v1.0.0"] }]);
  const watch = await Watch.begin(mirror, ["tiny", "listed"]);
  const moved = await mirror.up();
  expect(moved.exitCode, moved.output).toBe(0);
  expect(changesOf(moved)).toEqual([]);
  expect(moved.output).toMatch(
    new RegExp(`upstream moved the tag of 1\\.0\\.0 from commit [0-9a-f]{40} to ${commits[0]}`),
  );
  expect(watch.tagWrites("tiny", "1.0.0")).toBe(0);

  await tinyUpstream(mirror.sandbox, "listed/late", [{ version: "9.0.0" }]);
  const late = tinyAppFile(mirror.sandbox, "late").replace("/late.git", "/listed/late.git");
  mirror.setApps({ late });
  mirror.configure({ apps: ["late"] });
  // Pulumi's program reads the list and the Dockerfile, once each: what comes next is the builder.
  mirror.sandbox.setRules([{ part: "git", path: "/late.git/info/refs", skip: 2, delayMs: 4_000 }]);
  const running = mirror.start("up", { through: "pulumi" });
  await until("the builder asks", () => (mirror.sandbox.ruleStatus()[0]?.seen ?? 0) > 2);
  await tinyUpstream(mirror.sandbox, "listed/late", [{ version: "9.0.0 moved", tags: ["v9.0.0"] }]);
  const up = await running.ended;
  mirror.sandbox.clearRules();
  expect(up.exitCode).not.toBe(0);
  expect(up.output).toMatch(/expected checksum to match [0-9a-f]{40}/);
  expect(await mirror.registry.tags("late")).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});

it("F21 mistakes in stack configuration and app files are refused together before any request, a line each", async () => {
  // With a state, Pulumi itself refreshes what it manages before it starts the program.
  await mirror.loseState();
  mirror.setApps({
    tiny: tinyAppFile(mirror.sandbox, "tiny", '\n  tagrule: /^v(.*)$/,\n  subdirectory: "../../etc",'),
    other: tinyAppFile(mirror.sandbox, "other", '\n  bases: [{ context: "x", app: "tin" }],'),
  });
  mirror.configure({
    namespace: "../../etc",
    platforms: ["linux/amd46"],
    keep: -1,
    kep: 3,
    registry: "ghcr.io\r\nX-Evil: 1",
    apps: { tiny: { repository: "ext::sh -c id" }, other: { repository: "file:///etc", exclude: "1.0.0" } },
    builder: "a\0b",
  });
  mirror.mark();
  const expected = [
    /app "tiny" tagrule: "\/\^v\(\.\*\)\$\/"; there is no such key, did you mean "tagRule"\?/,
    /app "tiny" subdirectory: "\.\.\/\.\.\/etc"; accepted is a relative path/,
    /app "other" bases\[0\]\.app: "tin"; there is no such app, did you mean "tiny"\?/,
    /multiarch-mirror:namespace: "\.\.\/\.\.\/etc"; accepted is /,
    /multiarch-mirror:platforms\[0\]: "linux\/amd46"; accepted is one of .*linux\/amd64/,
    /multiarch-mirror:keep: "?-1"?; accepted is an integer from 1 to 1000/,
    /multiarch-mirror:kep: "?3"?; there is no such key, did you mean "keep"\?/,
    /multiarch-mirror:registry: "ghcr\.io\\r\\nX-Evil: 1"; accepted is a registry host/,
    /multiarch-mirror:apps\.tiny\.repository: "ext:\\u003ash -c id"; accepted is owner\/name/,
    /multiarch-mirror:apps\.other\.repository: "file:\/\/\/etc"; accepted is owner\/name/,
    /multiarch-mirror:apps\.other\.exclude: "1\.0\.0"; accepted is a list of versions/,
    /multiarch-mirror:builder: "a\\u0000b"; accepted is /,
  ];
  for (const run of [await mirror.preview(), await mirror.up()]) {
    expect(run.exitCode).not.toBe(0);
    const lines = errorsOf(run).split("\n");
    for (const line of expected)
      expect(
        lines.filter((text) => line.test(text)),
        `${line}
${run.output}`,
      ).toHaveLength(1);
    expect(changesOf(run)).toEqual([]);
  }
  for (const part of sandboxParts) expect(mirror.requestLog(part), part).toEqual([]);
});

function thousands(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `nightly-${number}`);
}

/** Writes tags into a bare repository as a server would have them, whatever git thinks of their names. */
function addTags(sandbox: string, repository: string, commit: string, tags: readonly string[]): void {
  const lines = tags.map((tag) => `${commit} refs/tags/${tag}\n`).toSorted();
  writeFileSync(join(sandbox, "git", repository, "packed-refs"), lines.join(""));
}

function listedAppFile(): string {
  return `import type { AppSpecification } from "../components/model/appSpecification";

export const listed: AppSpecification = { name: "listed", source: { kind: "githubReleases", repository: "${releasesOf}" } };
`;
}

function asListed(release: { readonly tag_name: string }): object {
  return { ...release, draft: false, prerelease: false, published_at: "2026-01-01T00:00:00Z" };
}

function isImage(urn: string): boolean {
  return urn.includes("docker-build:index:");
}

/** Nothing was executed, and no line begins what a CI system takes for a command or a terminal for a colour. */
function expectHarmless({ output }: PulumiRun): void {
  const folders = [process.cwd(), mirror.program, join(mirror.program, ".."), "/tmp", mirror.sandbox.folder];
  expect(folders.flatMap((folder) => readdirSync(folder)).filter((name) => name === "canary")).toEqual([]);
  expect(output).not.toMatch(/(?:^|\n)[ \t]*(?:::|##\[)/);
  expect(output).not.toMatch(/::(?:error|set-env)/);
  expect(output.includes("\u001b")).toBe(false);
}
