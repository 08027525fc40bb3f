import { describe, expect, it } from "vitest";
import { apps } from "../../apps";
import { checkApps } from "../../components/config/checkApps";
import type { AppSpecification } from "../../components/model/appSpecification";

const source = { kind: "gitTags", url: "https://example.org/tiny.git" } as const;
const smoke = { command: ["/bin/tiny"], expect: () => /tiny/ };

/** The mistakes in one app, given as nothing but an object: types are gone when the program runs. */
function mistakes(fields: object): readonly string[] {
  const app = { name: "tiny", source, ...fields } as unknown as AppSpecification;
  return checkApps([app], { exists: (path) => path === "apps/tiny.Dockerfile" });
}

describe("checkApps", () => {
  it("finds nothing wrong with the apps of this project", () => {
    expect(checkApps(apps)).toEqual([]);
  });

  it("reports all mistakes of all apps at once, each in a line with app, field, value and what is accepted", () => {
    const wrong = [
      { name: "Tiny", source, keep: 0, tagrule: /x/ },
      { name: "other", source: { kind: "gitTags", url: "ext::sh -c id" }, smoke: { command: "id", expect: "x" } },
      undefined,
    ] as unknown as readonly AppSpecification[];
    expect(checkApps(wrong)).toEqual([
      'app "Tiny" name: "Tiny"; accepted is a name in lower case: parts of a-z 0-9, joined by single . _ or -, at most 128 characters',
      'app "Tiny" keep: 0; accepted is an integer from 1 to 1000, or a map of latest, perMinor and minors',
      expect.stringMatching(/^app "Tiny" tagrule: "\/x\/"; there is no such key, did you mean "tagRule"\?/),
      expect.stringMatching(
        /^app "other" source: .*ext:\\u003ash.*; accepted is owner\/name on GitHub, or an https URL/,
      ),
      'app "other" smoke.command: "id"; accepted is a list of texts, the first one the program',
      'app "other" smoke.expect: "x"; accepted is a function',
      expect.stringMatching(/^app "number 3": nothing given; accepted is a map of name, title, /),
    ]);
  });

  it.each<readonly [string, object]>([
    ["name", { name: "../etc" }],
    ["name", { name: "a__b" }],
    ["name", { name: `a${"b".repeat(128)}` }],
    ["name", { name: 5 }],
    ["title", { title: "two\nlines" }],
    ["url", { url: "javascript:alert(1)" }],
    ["source", { source: "https://example.org/tiny.git" }],
    ["source.kind", { source: { kind: "gitTag", url: source.url } }],
    ["source.kind", { source: { kind: "constructor" } }],
    ["source", { source: { kind: "githubReleases", repository: "../../etc" } }],
    ["source.repository", { source: { kind: "githubReleases" } }],
    ["source", { source: { kind: "gitBranch", url: source.url, branch: "--upload-pack=x" } }],
    ["source.branches", { source: { kind: "gitTags", url: source.url, branches: [] } }],
    ["tagRule", { tagRule: "^v(.*)$" }],
    ["tagStyle", { tagStyle: "short" }],
    ["subdirectory", { subdirectory: "../other" }],
    ["subdirectory", { subdirectory: "/etc" }],
    ["dockerfile", { dockerfile: "a//Dockerfile" }],
    ["dockerfile", { dockerfile: "-f" }],
    ["ownDockerfile", { ownDockerfile: "../Dockerfile" }],
    ["ownDockerfile", { ownDockerfile: "apps/absent.Dockerfile" }],
    ["dockerfile", { dockerfile: "Dockerfile", ownDockerfile: "apps/tiny.Dockerfile" }],
    ["dockerfile.linux/amd64", { dockerfile: { "linux/amd64": "../Dockerfile" } }],
    ["dockerfile", { dockerfile: {} }],
    ["ownDockerfile", { ownDockerfile: { "linux/amd64": "apps/absent.Dockerfile" } }],
    ["platforms", { dockerfile: { "linux/amd64": "Dockerfile" }, platforms: ["linux/amd64", "linux/arm64"] }],
    ["argumentsFromFiles.GO.path", { argumentsFromFiles: { GO: { path: "/etc/passwd" } } }],
    ["argumentsFromFiles.GO.pattern", { argumentsFromFiles: { GO: { path: "go.mod", pattern: /^go .*$/m } } }],
    ['argumentsFromFiles["A=B"]', { argumentsFromFiles: { "A=B": { path: "go.mod" } } }],
    ["target", { target: "--target" }],
    ["buildArguments", { buildArguments: {} }],
    ["files", { files: ["https://example.org/x"] }],
    ["bases", { bases: { context: "base", app: "base" } }],
    ["bases[0].context", { bases: [{ context: "::", app: "tiny" }] }],
    ["bases[0].app", { bases: [{ context: "base", app: "bas" }] }],
    ["bases", { bases: [{ context: "base", app: "tiny" }] }],
    ["platforms[0]", { platforms: ["linux/amd46"] }],
    ["platforms[0]", { platforms: ["linux/arm64/v8"] }],
    ["platforms[1]", { platforms: ["linux/amd64", "linux/amd64"] }],
    ["platforms", { platforms: [] }],
    ["platformsRequired[0]", { platformsRequired: ["amd64"] }],
    ["floatingTags[0]", { floatingTags: ["lates"] }],
    ["floatingTags[1]", { floatingTags: ["latest", "latest"] }],
    ["keep", { keep: -1 }],
    ["keep.latest", { keep: { latest: "many" } }],
    ["labels", { labels: ["a=b"] }],
    ['labels["a b"]', { labels: { "a b": "c" } }],
    ['labels["a.b"]', { labels: { "a.b": 5 } }],
    ["smoke.command", { smoke: { ...smoke, command: [] } }],
    ["smoke.command", { smoke: { ...smoke, command: ["/bin/sh\0"] } }],
    ["identical.path", { identical: { path: "bin/tiny", file: () => "" } }],
    ["foreign[0]", { foreign: ["/../etc"] }],
    ["official.reference", { official: { reference: "docker.io/tiny" } }],
    ["official.whenUpstreamHasPlatform", { official: { reference: () => "", whenUpstreamHasPlatform: "never" } }],
  ])("refuses %s in %j, in one line of printable ASCII", (field, fields) => {
    const found = mistakes(fields);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^app ".+: .+; .+$/);
    expect(found[0]).toContain(` ${field}: `);
    expect(found[0]).toMatch(/^[\x20-\x7e]+$/);
  });

  it.each<readonly [RegExp, string]>([
    [/v(\d+\.\d+\.\d+)$/, "not tied to both ends"],
    [/^v(\d+\.\d+\.\d+)/, "not tied to both ends"],
    [/^v(\d+\.\d+\.\d+)\$/, "not tied to both ends"],
    [/^v(\d+\.\d+\.\d+)|(\d+)$/, "not every one is tied"],
    [/^v\d+\.\d+\.\d+$/, "no capture group"],
    [/^(v)(\d+\.\d+\.\d+)$/, "2 capture groups"],
    [/^v(?<version>\d+)-(\d+)$/, "capture groups without a name"],
    [/^v(?<revision>\d+)$/, 'it names no group "version"'],
    [/^v(?<version>\d+)-(?<patch>\d+)$/, 'it names a group "patch"; there are "version" and "revision"'],
    [/^v(\d+\.\d+\.\d+)$/g, "flags"],
    [/^v(\d+\.\d+\.\d+)$/m, "flags"],
  ])("refuses the tag rule %s: %s", (tagRule, reason) => {
    expect(mistakes({ tagRule })).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    /^v?(\d+\.\d+\.\d+)$/,
    /^(?:v|release-)(\d+\.\d+\.\d+)(?:[|]x)?$/i,
    /^(\d+\.\d+\.\d+)\|\\$/,
    /^v(?<version>\d+\.\d+)(?:-r(?<revision>\d+))?$/,
    /^RELEASE\.(?<version>\d{4}-.*Z)$/,
  ])("takes the tag rule %s", (tagRule) => expect(mistakes({ tagRule })).toEqual([]));

  it("says of a label which characters it may have", () => {
    expect(mistakes({ labels: { "a b": "c" } })).toEqual([expect.stringContaining("letters, digits and . _ / -")]);
  });

  it("takes an app that uses every field", () => {
    const everything = {
      ...{ title: "Tiny", description: "Ünïcode", licenses: "MIT", url: "https://example.org/", tagStyle: "upstream" },
      ...{ subdirectory: "server/build", ownDockerfile: "apps/tiny.Dockerfile", target: "final", keep: 3, smoke },
      ...{ buildArguments: () => ({}), files: () => [], platforms: ["linux/arm/v7"], platformsRequired: [] },
      ...{ floatingTags: ["latest", "major", "minor", "sha", "commit"], labels: { "org.example.x": "y" } },
      ...{ identical: { path: "/bin/tiny", file: () => "", replaces: true }, foreign: ["/opt/other"] },
      ...{ official: { reference: () => "x", whenUpstreamHasPlatform: "skip" } },
    };
    expect(mistakes(everything)).toEqual([]);
  });

  it("names apps of the same name, and those that build on each other in a circle, once", () => {
    const on = (name: string, ...bases: readonly string[]): AppSpecification => ({
      name,
      source,
      bases: bases.map((app) => ({ context: app, app })),
    });
    expect(checkApps([on("a"), on("b"), on("a")])).toEqual(['app "a" name: "a"; another app has the same name']);
    expect(checkApps([on("a", "b", "d"), on("b", "c"), on("c", "b"), on("d")])).toEqual([
      'app "b" bases: ["b","c","b"]; apps build on each other in a circle; accepted are bases that build on none of them',
    ]);
  });
});
