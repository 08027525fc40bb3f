import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../components/config/readConfig";
import type { AppSpecification } from "../../components/model/appSpecification";
import { ConfigError } from "../../components/config/problems";

const app = (name: string, more: Partial<AppSpecification> = {}): AppSpecification => ({
  name,
  source: { kind: "githubReleases", repository: `upstream/${name}` },
  ...more,
});
const apps = [app("mattermost"), app("outline"), app("hello-flask", { platforms: ["linux/amd64", "linux/ppc64le"] })];
const environment = { HOST: "localhost:5000", TOKEN: "s3cret", EVIL: "../../etc", NESTED: "${HOST}" };

function read(raw: Readonly<Record<string, unknown>>) {
  return readConfig({ namespace: "owner/mirror", ...raw }, { apps, environment });
}

function problems(raw: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    read(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("readConfig", () => {
  it("fills in the defaults", () => {
    const config = read({});
    expect({ ...config, apps: [...config.apps.keys()] }).toEqual({
      unmirrored: new Map(),
      registry: "ghcr.io",
      namespace: "owner/mirror",
      platforms: ["linux/amd64", "linux/arm64"],
      keep: 10,
      apps: ["mattermost", "outline", "hello-flask"],
      builder: "multiarch-mirror",
      buildLimit: 14_400,
      cache: { type: "off" },
      newPackages: [],
      immutableTags: "none",
      floatingTags: true,
      attest: { signing: { mode: "keyless" }, sbom: true, provenance: true, adopted: false },
    });
  });

  it("knows the keys and the defaults that Pulumi.yaml declares", () => {
    const declared = (parse(readFileSync("Pulumi.yaml", "utf8")) as { config: Record<string, Record<string, unknown>> })
      .config;
    const values = Object.fromEntries(
      Object.entries(declared).flatMap(([key, { default: value }]) => (value === undefined ? [] : [[key, value]])),
    );
    expect(read(values)).toEqual(read({}));
    const { unmirrored, ...keys } = read({});
    expect(unmirrored.size).toBe(0);
    expect(Object.keys(declared).toSorted()).toEqual(Object.keys(keys).toSorted());
    for (const { description } of Object.values(declared)) expect(description).toMatch(/^[A-Z].*\.$/);
  });

  it("takes values as the text in which Pulumi hands them over", () => {
    const config = read({
      platforms: '["linux/arm64/v8"]',
      keep: "3",
      apps: '{"outline":{"keep":2,"minimumReleaseAge":"3d","exclude":["1.2.3"]},"mattermost":null}',
      builder: '{"linux/arm64":"far","linux/amd64":"near"}',
      cache: '{"type":"local","directory":"/var/cache/mirror"}',
      floatingTags: "false",
      newPackages: '["outline"]',
    });
    expect(config.platforms).toEqual(["linux/arm64"]);
    expect(config.keep).toBe(3);
    expect([...config.apps].map(([name, { overrides }]) => [name, overrides])).toEqual([
      ["outline", { keep: 2, minimumReleaseAgeHours: 72, exclude: ["1.2.3"] }],
      ["mattermost", { exclude: [] }],
    ]);
    expect(config.builder).toEqual(
      new Map([
        ["linux/arm64", "far"],
        ["linux/amd64", "near"],
      ]),
    );
    expect(config.cache).toEqual({ type: "local", directory: "/var/cache/mirror", mode: "max" });
    expect(config.floatingTags).toBe(false);
    expect(config.newPackages).toEqual(["outline"]);
  });

  it("mirrors only the apps of a list, in its order", () => {
    expect([...read({ apps: ["outline", "mattermost"] }).apps.keys()]).toEqual(["outline", "mattermost"]);
  });

  it("leaves out an app that is not enabled", () => {
    expect([...read({ apps: { outline: { enabled: false }, mattermost: {} } }).apps.keys()]).toEqual(["mattermost"]);
  });

  it("keeps what it says of an app that is not mirrored, because that may be the base of one that is", () => {
    const repository = "fork/outline";
    const { apps: mirrored, unmirrored } = read({ apps: { outline: { enabled: false, repository }, mattermost: {} } });
    expect([...mirrored.keys()]).toEqual(["mattermost"]);
    expect([...unmirrored].map(([name, { overrides }]) => [name, overrides])).toEqual([
      ["outline", { repository: { kind: "github", repository }, exclude: [] }],
      ["hello-flask", { exclude: [] }],
    ]);
    expect([...read({ apps: ["outline"] }).unmirrored.keys()]).toEqual(["mattermost", "hello-flask"]);
  });

  it("says of an app that it does not know where it would be listed, and nothing else", () => {
    expect(problems({ apps: { outlin: {} } })).toEqual([
      'multiarch-mirror:apps.outlin: {}; there is no such app in apps/index.ts, did you mean "outline"? Known are mattermost, outline, hello-flask',
    ]);
  });

  it("takes a window with lines", () => {
    expect(read({ keep: { latest: 5, perMinor: 1, minors: 3 } }).keep).toEqual({ latest: 5, perMinor: 1, minors: 3 });
  });

  it("reports every mistake at once, each with its key and value", () => {
    const found = problems({
      registry: "https://ghcr.io",
      keep: "0",
      kep: "3",
      platforms: '["linux/foo","linux/arm64","linux/arm64/v8"]',
      apps: '{"matermost":{},"outline":{"keep":1.5,"platform":[],"repository":"file:///etc"}}',
      floatingTags: "yes",
    });
    expect(found.map((line) => line.slice(0, line.indexOf(";")))).toEqual([
      'multiarch-mirror:registry: "https://ghcr.io"',
      'multiarch-mirror:platforms[0]: "linux/foo"',
      'multiarch-mirror:platforms[2]: "linux/arm64/v8"',
      'multiarch-mirror:keep: "0"',
      "multiarch-mirror:apps.outline.keep: 1.5",
      'multiarch-mirror:apps.outline.repository: "file:///etc"',
      "multiarch-mirror:apps.outline.platform: []",
      "multiarch-mirror:apps.matermost: {}",
      'multiarch-mirror:floatingTags: "yes"',
      'multiarch-mirror:kep: "3"',
    ]);
    expect(found[6]).toContain('did you mean "platforms"?');
    expect(found[7]).toContain('did you mean "mattermost"? Known are mattermost, outline, hello-flask');
    expect(found[9]).toContain('did you mean "keep"?');
  });

  it("speaks of attestation settings in the same words", () => {
    const attest = { signing: { mode: "keyles" }, sbom: "yes", sbon: true };
    expect(problems({ attest })).toEqual([
      'multiarch-mirror:attest.signing.mode: "keyles"; there is no such mode, did you mean "keyless"? Known are keyless, key, off',
      'multiarch-mirror:attest.sbom: "yes"; accepted is true or false',
      'multiarch-mirror:attest.sbon: true; there is no such key, did you mean "sbom"? Known are signing, sbom, provenance, adopted',
    ]);
    expect(read({ attest: "off" }).attest.signing).toEqual({ mode: "off" });
  });

  it("names a missing namespace", () => {
    expect(() => readConfig({}, { apps, environment })).toThrow(
      /multiarch-mirror:namespace: nothing given; accepted is /,
    );
  });
});

describe("readConfig refuses", () => {
  const cases: readonly (readonly [key: string, value: unknown])[] = [
    ...["", "ghcr", "https://ghcr.io", "ghcr.io/owner", "ghcr.io:0", "ghcr.io:99999", "a b.c", "u:p@ghcr.io"].map(
      pair("registry"),
    ),
    ...["ghcr.io\n", "ghcr.io\r\nX: y", "gh\0cr.io", "-x.io", "../../etc", '{"a":1}'].map(pair("registry")),
    ...["", "../../etc", "Owner", "/owner", "owner/", "a//b", "own\0er", "owner\r\n", "a:b", "a@b", "$(id)"].map(
      pair("namespace"),
    ),
    ...["a".repeat(129), "ext::sh -c id", "file:///etc"].map(pair("namespace")),
    ...["", "-1", "0", "1.5", "1e3", "1001", "ten", -1, 0, 1.5, true, null, [], {}, { latest: 3, perMinor: 1 }].map(
      pair("keep"),
    ),
    ...["linux/amd64", [], {}, ["linux/foo"], ["linux/arm"], [1], ["../../etc"], ["linux/amd64\n"]].map(
      pair("platforms"),
    ),
    ...["mattermost", [], {}, ["nope"], [1], ["outline", "outline"], { nope: {} }, { outline: 3 }].map(pair("apps")),
    ...[{ outline: { enabled: false } }, { outline: [] }, '{"__proto__":{}}', { constructor: {} }].map(pair("apps")),
    ...['{"outline":{},"__proto__":{}}', '{"outline":{"__proto__":{}}}', '{"outline":{},"constructor":{}}'].map(
      pair("apps"),
    ),
    pair("builder")('{"linux/amd64":"a","linux/arm64":"b","linux/ppc64le":"c","__proto__":"d"}'),
    pair("attest")('{"signing":"off","__proto__":{}}'),
    ...["", "../x", "a b", "-x", "a\n", "$(id)", {}, { "linux/foo": "a" }, 5].map(pair("builder")),
    ...["yes", "1", 1, "", null].map(pair("floatingTags")),
    ...["on", "local", { type: "local" }, { type: "disk" }, {}, { type: "off", mode: "max" }, 1].map(pair("cache")),
    ...["../x", "a,dest=/etc", "a\nb", "", 'a"b', "/a/../../etc"].map((directory) =>
      pair("cache")({ type: "local", directory }),
    ),
    ...["../x", "A", "a:b", ""].map((repository) => pair("cache")({ type: "registry", repository })),
    ...["outline", ["nope"], ["outline", "outline"]].map(pair("newPackages")),
    ...[
      "file:///etc",
      "ext::sh -c id",
      "../../etc",
      "http://github.com/a/b.git",
      "https://h/a/b",
      "https://h/../b.git",
    ].map(repository),
    ...["https://u:p@h/a.git", "https://h/a.git?x=1", "https://h/a.git#x", "https://h/a b.git", "ssh://h/a.git"].map(
      repository,
    ),
    ...[
      "git@h:a.git",
      "-a/b",
      "a/..",
      "a/-b",
      "a/b/c",
      "https://h/-a.git",
      "https://h/a.git\n",
      "https://h:0/a.git",
    ].map(repository),
    ...["https://h/%2e%2e/a.git", "http://127.0.0.1.evil.org/a.git", "http://localhost@evil.org/a.git", ""].map(
      repository,
    ),
    ...["3y", "-1", -1, 1.5, "soon", "99999w", null].map((value) =>
      pair("apps")({ outline: { minimumReleaseAge: value } }),
    ),
    ...["4", 4, "0h", "1.5h", "4 h", "8d", "169h", "", null].map(pair("buildLimit")),
    ...["1.2.3", ["latest"], [1.1], ["1.2.3", "1.2.3"], [">=1"], ["1.2 "], ["-1"]].map((value) =>
      pair("apps")({ outline: { exclude: value } }),
    ),
    ...["on", [], 5, { mode: "off" }, { signing: { mode: "key", key: "--x" } }].map(pair("attest")),
    ["namespac", "x"],
  ];

  it.each(cases)("%s %j", (key, value) => {
    const found = problems({ [key]: value });
    expect(found.length).toBeGreaterThan(0);
    for (const line of found) {
      expect(line).toMatch(new RegExp(`^multiarch-mirror:${key}[^ ]*: .+; .+`));
      expect(line).toMatch(/^[\x20-\x7e]+$/);
    }
  });

  it("a namespace of several parts on Docker Hub", () => {
    expect(problems({ registry: "docker.io" })).toEqual([
      'multiarch-mirror:namespace: "owner/mirror"; Docker Hub accepts a single part, without slashes',
    ]);
  });

  it("a builder map without a platform that some app wants", () => {
    const builder = { "linux/amd64": "near", "linux/arm64": "far" };
    expect(problems({ builder })[0]).toContain("no builder is named for linux/ppc64le; add it to the map");
    expect(problems({ builder, apps: ["outline"] })).toEqual([]);
  });

  function pair(key: string) {
    return (value: unknown) => [key, value] as const;
  }

  function repository(value: string) {
    return ["apps", { outline: { repository: value } }] as const;
  }
});

describe("readConfig accepts", () => {
  it.each([
    "ghcr.io",
    "docker.io",
    "localhost",
    "localhost:5000",
    "127.0.0.1:5000",
    "[::1]:5000",
    "reg.example.org:443",
  ])("registry %s", (registry) => expect(read({ registry, namespace: "owner" }).registry).toBe(registry));

  it.each([
    "owner/name",
    "https://git.example.org/a/b.git",
    "http://127.0.0.1:3000/a.git",
    "http://[::1]:80/~a/b_c.git",
  ])("repository %s", (repository) => expect(problems({ apps: { outline: { repository } } })).toEqual([]));

  it.each([
    [12, 12],
    ["12", 12],
    ["12h", 12],
    ["3d", 72],
    ["1w", 168],
  ])("minimumReleaseAge %j as %i hours", (minimumReleaseAge, hours) => {
    const config = read({ apps: { outline: { minimumReleaseAge } } });
    expect(config.apps.get("outline")?.overrides.minimumReleaseAgeHours).toBe(hours);
  });

  it("cache types by their name alone", () => {
    expect(read({ cache: "gha" }).cache).toEqual({ type: "gha", mode: "max" });
    expect(read({ cache: "off" }).cache).toEqual({ type: "off" });
    expect(read({ cache: { type: "registry", mode: "min" } }).cache).toEqual({ type: "registry", mode: "min" });
  });
});

describe("readConfig and environment variables", () => {
  it("puts them in, once, wherever a text stands", () => {
    const config = read({ registry: "${HOST}", apps: { outline: { repository: "http://${HOST}/a.git" } } });
    expect(config.registry).toBe("localhost:5000");
    expect(config.apps.get("outline")?.overrides.repository).toEqual({
      kind: "git",
      url: "http://localhost:5000/a.git",
    });
    expect(problems({ registry: "${NESTED}" })[0]).toContain('"${NESTED}"; accepted is a registry host');
  });

  it("names one that is not set, without a second complaint about the rest of the text", () => {
    expect(problems({ registry: "${ABSENT}" })).toEqual([
      'multiarch-mirror:registry: "${ABSENT}"; the environment variable ABSENT is not set',
    ]);
    expect(problems({ platforms: ["linux/${ARCH}"] })).toEqual([
      'multiarch-mirror:platforms[0]: "linux/${ARCH}"; the environment variable ARCH is not set',
    ]);
  });

  it.each(["${host}", "${}", "${HOST", "${A-B}", "${HOST:-x}", "${constructor}"])(
    "refuses %s as a placeholder",
    (registry) => {
      expect(problems({ registry })[0]).toContain("a variable is written ${NAME}");
    },
  );

  it("checks what was put in, and shows the text as written so that no secret is printed", () => {
    const found = problems({ namespace: "${EVIL}", apps: { outline: { repository: "https://u:${TOKEN}@h/a.git" } } });
    expect(found[0]).toContain('multiarch-mirror:namespace: "${EVIL}"; accepted is');
    expect(found.join("\n")).not.toContain("s3cret");
    expect(problems({ apps: { outline: { repository: "https://u:pw@h/a.git" } } }).join("\n")).not.toContain("pw@");
  });
});

describe("readConfig, for any input", () => {
  it("answers with a configuration or a ConfigError and nothing else", () => {
    const key = fc.oneof(
      fc.constantFrom("registry", "namespace", "keep", "apps", "builder", "cache", "platforms"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" }))), (raw) => {
        for (const line of problems(raw)) expect(line).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });

  it("lets no registry or namespace through that could change the meaning of a reference", () => {
    const hostile = fc.string({ unit: fc.constantFrom(..."ab.:/@-_A0$\n\0 []%") });
    fc.assert(
      fc.property(hostile, hostile, (registry, namespace) => {
        if (problems({ registry, namespace }).length > 0) return;
        expect(registry).toMatch(/^[A-Za-z0-9.-]+(:[0-9]+)?$|^\[[0-9a-fA-F:]+\](:[0-9]+)?$/);
        expect(namespace).toMatch(/^[a-z0-9._/-]+$/);
        expect(namespace).not.toMatch(/\.\.|\/\/|^[./-]|[./-]$/);
      }),
      { numRuns: 500 },
    );
  });
});
