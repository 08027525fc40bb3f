import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectVersions, type TagCandidate, mirrorTag, movedTags } from "../../components/decide/versions";
import { compareVersions, isSameVersion } from "../../components/model/version";

const commit = "a".repeat(40);
const candidate = (tag: string, more: Partial<TagCandidate> = {}): TagCandidate => ({ tag, commit, ...more });
const candidates = (tags: string): readonly TagCandidate[] => tags.split(" ").map((tag) => candidate(tag));
const versionsOf = (tags: string, tagRule?: RegExp): readonly string[] =>
  collectVersions(candidates(tags), tagRule ? { tagRule } : {}).releases.map(({ version }) => version);
const reasonOf = (tag: string, tagRule?: RegExp): string | undefined =>
  collectVersions([candidate(tag)], tagRule ? { tagRule } : {}).rejected[0]?.reason;

const outline =
  "v0.87.3-0 v0.87.3 v0.87.4 v1.0.0-0 v1.0.0-1 v1.0.0-2 v1.0.0-test8 v1.0.0 v1.0.1 v1.1.0-0 v1.1.0 v1.2.0-0 v1.2.0-1 v1.2.0-2 " +
  "v1.2.0-3 v1.2.0 v1.3.0 v1.4.0 v1.5.0 v1.6.0 v1.6.1 v1.7.0 v1.7.1 v1.8.0-0 v1.8.0-1 v1.8.0 v1.8.1 v1.8.2-0 v1.9.0 v1.9.1 " +
  "v1.9.2-0 v1.9.2 v0.80.2-ms-debug 0.39.0 v0.62-multi-image-test";
const limitless = /^v(\d+\.\d+\.\d+)-limitless$/;

describe("collectVersions", () => {
  it("takes exactly the stable versions of Outline's tags, whose numeric suffixes are pre-releases", () => {
    expect(versionsOf(outline)).toEqual([
      ...["1.9.2", "1.9.1", "1.9.0", "1.8.1", "1.8.0", "1.7.1", "1.7.0", "1.6.1", "1.6.0", "1.5.0", "1.4.0", "1.3.0"],
      ...["1.2.0", "1.1.0", "1.0.1", "1.0.0", "0.87.4", "0.87.3", "0.39.0"],
    ]);
  });

  it("takes a version that exists only as a pre-release not at all", () => {
    expect(versionsOf("v1.8.2-0 v0.80.3-0 v1.8.1")).toEqual(["1.8.1"]);
  });

  it("takes only the suffixed tags of Mostlymatter, which a pre-release filter would drop", () => {
    const tags =
      "v11.7.0 v11.7.0-limitless v10.4.2-limitless v11.6.0-rc3 v11.6.0-rc3-limitless v11.10.0-limitless v11.9.1";
    expect(versionsOf(tags, limitless)).toEqual(["11.10.0", "11.7.0", "10.4.2"]);
  });

  it("takes tags such as release-1.2.3 when the rule says so, with the tag as upstream wrote it", () => {
    const { releases } = collectVersions(candidates("release-1.2.3 release-1.10.0 v9.0.0"), {
      tagRule: /^release-(\d+\.\d+\.\d+)$/,
    });
    expect(releases).toEqual([
      { version: "1.10.0", tag: "release-1.10.0", reference: "tag", commit },
      { version: "1.2.3", tag: "release-1.2.3", reference: "tag", commit },
    ]);
  });

  it("sorts by number, not by text or by date", () => {
    expect(versionsOf("v11.9.1 v11.10.0 v10.11.23 v9.0.0")).toEqual(["11.10.0", "11.9.1", "10.11.23", "9.0.0"]);
  });

  it("ignores other families of the same repository", () => {
    expect(versionsOf("v11.9.1 server/public/v0.1.21 cloud-2026-01-01-1 helm-12.0.0")).toEqual(["11.9.1"]);
  });

  it.each([
    ["v1.0.0$(touch canary)", /characters/],
    ["v1.0.0;id", /characters/],
    ["v1.0.0`id`", /characters/],
    ["v1.0.0'", /characters/],
    ['v1.0.0"', /characters/],
    ["-v1.0.0", /characters/],
    ["--upload-pack=touch canary", /characters/],
    ["v１.０.０", /characters/],
    ["v1.0.0\n::warning::x", /characters/],
    ["v1.0.0\u0000", /characters/],
    ["v1.0.0\u202e", /characters/],
    ["../v1.0.0", /characters/],
    ["a/../v1.0.0", /characters/],
    ["", /characters/],
    [`v1.0.${"0".repeat(300)}`, /longer than 255/],
    ["v1.2.99999999999999999999", /out of range/],
    ["v1.2.3-rc1", /pre-release/],
    ["v1.2.3+build", /tag rule/],
    ["v99.99.99.4478", /tag rule/],
    ["v1.2.3_1", /tag rule/],
    ["latest", /tag rule/],
  ])("rejects the tag %j", (tag, reason) => {
    expect(versionsOf(tag)).toEqual([]);
    expect(reasonOf(tag)).toMatch(reason);
  });

  it.each([
    ["has no anchors", /(\d+\.\d+\.\d+)/, "v1.2.3-rc1"],
    ["allows any suffix", /^v(\d+\.\d+\.\d+).*$/s, "v1.2.3$(id)"],
    ["captures something else", /^(v.*)$/, "v1.2.3"],
    ["captures nothing", /^v1\.2\.3$/, "v1.2.3"],
    ["matches lines", /^v(\d+\.\d+\.\d+)$/m, "v1.2.3\nx"],
    ["takes any digit of Unicode", /^v(\p{Nd}+\.\p{Nd}+\.\p{Nd}+)$/u, "v１.２.３"],
  ])("is not led astray by a rule that %s", (_, rule, tag) => {
    expect(versionsOf(tag, rule)).toEqual([]);
  });

  it("takes every matching tag although the rule has a sticky or global flag", () => {
    expect(versionsOf("v1.0.0 v1.0.1 v1.0.2", /^v(\d+\.\d+\.\d+)$/gy)).toEqual(["1.0.2", "1.0.1", "1.0.0"]);
  });

  it("drops drafts and flagged pre-releases, whatever the rule says", () => {
    const found = collectVersions(
      [
        candidate("v1.0.0-limitless"),
        candidate("v1.1.0-limitless", { prerelease: true }),
        candidate("v1.2.0-limitless", { draft: true }),
      ],
      { tagRule: limitless },
    );
    expect(found.releases.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(found.rejected).toEqual([
      { tag: "v1.2.0-limitless", reason: "draft" },
      { tag: "v1.1.0-limitless", reason: "upstream marks it as a pre-release" },
    ]);
  });

  it("rejects a release whose tag has no commit, or no full one, and keeps the others", () => {
    const found = collectVersions(
      [{ tag: "v10.11.16" }, candidate("v10.11.15"), candidate("v10.11.14", { commit: "abc1234" })],
      {},
    );
    expect(found.releases.map(({ version }) => version)).toEqual(["10.11.15"]);
    expect(found.rejected).toEqual([
      { tag: "v10.11.16", reason: "the git repository has no such tag" },
      { tag: "v10.11.14", reason: "its commit is not 40 hex digits" },
    ]);
  });

  it("takes each version once, from the tag with the v, and says so of the other", () => {
    const found = collectVersions(candidates("1.2.3 v1.2.3 v1.2.3"), {});
    expect(found.releases.map(({ tag }) => tag)).toEqual(["v1.2.3"]);
    expect(found.rejected).toEqual([
      { tag: "1.2.3", reason: "same version as tag v1.2.3", kind: "same version as another tag" },
    ]);
  });

  it("takes of the tags of one version the one that says most, and where the rule leaves a part out, the highest", () => {
    const taken = (tags: string, tagRule?: RegExp) =>
      collectVersions(candidates(tags), tagRule ? { tagRule } : {}).releases.map(({ tag }) => tag);
    expect(taken("1.2 v1.2 1.2.0")).toEqual(["1.2.0"]);
    expect(taken("v2026.07.1 v2026.7.1")).toEqual(["v2026.7.1"]);
    expect(taken("v9.3.0.6 v9.3.0.17 v9.3.0.9", /^v(\d+\.\d+\.\d+)\.\d+$/)).toEqual(["v9.3.0.17"]);
    expect(taken("docker/4.6.2-r9 docker/4.6.2-r13", /^docker\/(\d+\.\d+\.\d+)-r\d+$/)).toEqual(["docker/4.6.2-r13"]);
  });

  it("does not take the tags that upstream moves with its versions", () => {
    const [one, two] = ["1".repeat(40), "2".repeat(40)];
    const tags = [
      candidate("v4.1.2", { commit: two }),
      candidate("v4.1", { commit: two }),
      candidate("v4.0", { commit: one }),
      candidate("v3"),
    ];
    const found = collectVersions(tags, {});
    expect(found.releases.map(({ version }) => version)).toEqual(["4.1.2", "4.0"]);
    expect(found.rejected.map(({ tag, reason }) => `${tag} ${reason}`)).toEqual([
      ...["v4.1 names a line of versions", "v3 names a line of versions"],
    ]);
    expect(versionsOf("v257 v258 v258-rc1 v9")).toEqual(["258", "257", "9"]);
  });

  it("keeps the later date when one tag is listed twice, so that nothing seems older than it is", () => {
    const [early, late] = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"];
    const listed = [candidate("v1.0.0", { publishedAt: early }), candidate("v1.0.0", { publishedAt: late })];
    expect(collectVersions(listed, {})).toEqual(collectVersions(listed.toReversed(), {}));
    expect(collectVersions(listed, {}).releases[0]?.publishedAt).toBe(late);
  });

  it("rejects a tag the mirror could not use as it is written", () => {
    const specification = { tagRule: /^rel\/(\d+\.\d+\.\d+)$/, tagStyle: "upstream" } as const;
    expect(collectVersions([candidate("rel/1.0.0")], specification)).toEqual({
      releases: [],
      rejected: [{ tag: "rel/1.0.0", reason: "not a valid image tag: at most 128 of A-Z a-z 0-9 . _ -" }],
    });
  });

  it("gives up a rule that would not end on a tag made for it, and says which", () => {
    const tags = candidates(`v1.0.0 v${"1".repeat(200)}x`);
    expect(collectVersions(candidates("v1.0.0"), { tagRule: /^v((?:\d+\.?)+)$/ }).releases).toHaveLength(1);
    expect(() => collectVersions(tags, { tagRule: /^v((?:\d+\.?)+)$/ })).toThrow(
      /^the tag rule \/\^v\(\(\?:\\d\+\\\.\?\)\+\)\$\/ on upstream's tags took longer than 5 s, the most it may; /,
    );
  });

  it("copes with ten thousand hostile tags around three good ones", () => {
    const hostile = Array.from({ length: 10_000 }, (_, index) => candidate(`v1.0.${index}$(touch canary)`));
    const found = collectVersions([...hostile, ...candidates("v1.0.0 v1.0.1 v1.0.2")], {});
    expect(found.releases.map(({ version }) => version)).toEqual(["1.0.2", "1.0.1", "1.0.0"]);
    expect(found.rejected).toHaveLength(10_000);
  });
});

/** Tags of real projects, the ends of their lists, with the rule an app would have, if it needs one. */
describe("collectVersions, on the tags of", () => {
  it.each<readonly [string, RegExp | undefined, string, string]>([
    [
      ...([
        "Pi-hole",
        undefined,
        "2026.07.2 2026.07.1 2026.07.0 2026.04.1 2026.05.0 v5.8.1 vTestTag 2025.11.1",
      ] as const),
      "2026.07.2 2026.07.1 2026.07.0 2026.05.0 2026.04.1 2025.11.1 5.8.1",
    ],
    ["Mailu", undefined, "v1.8.0 2024.06.57 2024.06.9 2024.06 1.9", "2024.06.57 2024.06.9 2024.06 1.9 1.8.0"],
    ["Healthchecks", undefined, "v4.3 v4.2 v4.1.1 v4.1 v4.0 v3.13 v3.9", "4.3 4.2 4.1.1 4.1 4.0 3.13 3.9"],
    [
      ...(["ONLYOFFICE", undefined, "v9.3.0.6 v9.3.0.10 v99.99.99.4478 v9.3.0.17 v99.99.99.4468 v9.2.1.8"] as const),
      "9.3.0.17 9.3.0.10 9.3.0.6 9.2.1.8",
    ],
    [
      "Sonarr",
      undefined,
      "v4.0.19.2979 v4.0.18.2978 v4.0.17.2975 v4.0.18.2976",
      "4.0.19.2979 4.0.18.2978 4.0.18.2976 4.0.17.2975",
    ],
    ["Jellyfin", undefined, "v12.0-rc5 v12.0-rc1 v10.11.11 v10.11.9 v10.11.0-rc9", "10.11.11 10.11.9"],
    ["Checkmk", undefined, "v2.4.0p9 v2.4.0p11 v2.4.0 v2.5.0b1 v2.4.0-rc1", "2.4.0p11 2.4.0p9 2.4.0"],
    [
      "k3s",
      undefined,
      "v1.34.1+k3s1 v1.34.1-rc1+k3s1 v1.33.5+k3s2 v1.33.5+k3s10",
      "1.34.1+k3s1 1.33.5+k3s10 1.33.5+k3s2",
    ],
    ["Grafana", undefined, "v12.0.1 v12.0.0+security-01 v12.0.0", "12.0.1 12.0.0+security-01 12.0.0"],
    [
      ...(["coturn", /^docker\/(?<version>\d+\.\d+\.\d+)-r(?<revision>\d+)$/] as const),
      "4.17.1 docker/4.7.0-r4 docker/4.7.0-r0 docker/4.10.0-r1 docker/4.6.2-r9 docker/4.6.2-r13 upstream/4.5.2",
      "4.10.0-r1 4.7.0-r4 4.7.0-r0 4.6.2-r13 4.6.2-r9",
    ],
    [
      ...(["Jitsi Meet", /^stable-(?<version>\d+)(?:-(?<revision>\d+))?$/] as const),
      "stable-11146-2 stable-11146-1 stable-11146 stable-9955 stable-11031 stable-10532 stable-10532-1 unstable-2026-01-01",
      "11146-2 11146-1 11146 11031 10532-1 10532 9955",
    ],
    [
      ...(["MinIO", /^RELEASE\.(?<version>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z)$/] as const),
      "release-1434511043 RELEASE.2025-10-15T17-29-55Z RELEASE.2025-09-06T17-38-46Z RELEASE.2025-09-07T16-13-09Z",
      "2025-10-15T17-29-55Z 2025-09-07T16-13-09Z 2025-09-06T17-38-46Z",
    ],
    [
      ...(["OpenSSH", /^V_(?<version>\d+_\d+)_P(?<revision>\d+)$/] as const),
      "V_9_9_P2 V_10_5_P1 V_10_0_P2 V_10_0_P1 V_9_9_P1 V_6_0_P1",
      "10_5_P1 10_0_P2 10_0_P1 9_9_P2 9_9_P1 6_0_P1",
    ],
    [
      ...(["Plex", /^(?<version>\d+\.\d+\.\d+\.\d+)-[0-9a-f]+-ls(?<revision>\d+)$/] as const),
      "1.43.2.10687-563d026ea-ls99 1.43.2.10687-563d026ea-ls311 1.43.3.10828-00f62d37d-ls314 bionic-1.23.2.4625-a83d2d0f9-ls34 168",
      "1.43.3.10828-00f62d37d-ls314 1.43.2.10687-563d026ea-ls311 1.43.2.10687-563d026ea-ls99",
    ],
    [
      "a build by month",
      /^(?<version>\d{4}-\d{2}[a-z]?)$/,
      "2026-06 2026-07a 2026-07 2026-07b",
      "2026-07b 2026-07a 2026-07 2026-06",
    ],
    [
      "a build by day",
      /^(?<version>\d{6}-[0-9a-f]{9})$/,
      "240915-e1280b2fb 231231-ffffffff0",
      "240915-e1280b2fb 231231-ffffffff0",
    ],
  ])("%s finds what a person would", (_, tagRule, tags, expected) => {
    const listed = tags.split(" ").map((tag, index) => candidate(tag, { commit: String(index).padStart(40, "0") }));
    const { releases } = collectVersions(listed, tagRule ? { tagRule } : {});
    expect(releases.map(({ version }) => version).join(" ")).toBe(expected);
  });
});

describe("collectVersions, for any list of tags", () => {
  const part = fc.constantFrom("9", "10", "0", "09");
  const version = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
  const suffix = fc.constantFrom("", "", "", "-rc1", "-limitless", "p1", "p01", "+k3s1", "-k3s1", ";id", "\n");
  const anyTag = fc.oneof(
    fc.tuple(fc.constantFrom("v", "", "release-"), version, suffix).map((parts) => parts.join("")),
    fc.string(),
  );
  const anyCandidate: fc.Arbitrary<TagCandidate> = fc.record(
    {
      tag: anyTag,
      commit: fc.constantFrom(commit, "b".repeat(40), "short"),
      draft: fc.boolean(),
      prerelease: fc.boolean(),
      publishedAt: fc.constantFrom("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
    },
    { requiredKeys: ["tag"] },
  );
  const shuffled = fc
    .array(anyCandidate, { maxLength: 40 })
    .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));

  it("answers the same for every order", () => {
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(collectVersions(other, {})).toEqual(collectVersions(list, {}));
      }),
    );
  });

  it("answers with distinct, harmless versions from the highest to the lowest and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.array(anyCandidate, { maxLength: 40 }), (list) => {
        const before = structuredClone(list);
        const { releases } = collectVersions(Object.freeze(list), {});
        const versions = releases.map((release) => release.version);
        expect(list).toEqual(before);
        expect(versions).toEqual(versions.toSorted(compareVersions));
        for (const [index, one] of versions.entries())
          expect(versions.findIndex((other) => isSameVersion(one, other))).toBe(index);
        expect(new Set(releases.map((release) => mirrorTag({}, release))).size).toBe(releases.length);
        for (const release of releases) {
          expect(release.version).toMatch(/^[0-9]+(\.[0-9]+)*(p[0-9]+|\+k3s[0-9]+)?$/);
          expect(release.tag).toMatch(/^v?[0-9.]+(p[0-9]+|\+k3s[0-9]+)?$/);
          expect(release.commit).toMatch(/^[ab]{40}$/);
        }
      }),
    );
  });
});

describe("mirrorTag", () => {
  const release = { version: "1.2.3", tag: "v1.2.3", reference: "tag" } as const;

  it("is the plain version unless the app asks for the upstream tag", () => {
    expect(mirrorTag({}, release)).toBe("1.2.3");
    expect(mirrorTag({ tagStyle: "version" }, release)).toBe("1.2.3");
    expect(mirrorTag({ tagStyle: "upstream" }, release)).toBe("v1.2.3");
  });

  it("is never the name of a branch, which would move", () => {
    const head = { version: "91a1b420", tag: "master", reference: "branch" } as const;
    expect(mirrorTag({ tagStyle: "upstream" }, head)).toBe("91a1b420");
  });

  it("has a - where no image tag may have the + of the version", () => {
    const secured = { version: "1.2.3+security-01", tag: "v1.2.3+security-01", reference: "tag" } as const;
    expect(mirrorTag({}, secured)).toBe("1.2.3-security-01");
    expect(mirrorTag({ tagStyle: "upstream" }, secured)).toBe("v1.2.3-security-01");
  });

  it.each(["a/1.2.3", "-1.2.3", ".1.2.3", "", "1.2.3\n", "1".repeat(129)])("refuses the tag %j", (tag) => {
    expect(() => mirrorTag({ tagStyle: "upstream" }, { ...release, tag })).toThrow(
      /cannot be an image tag; accepted are/,
    );
  });
});

describe("movedTags", () => {
  it("reports exactly the tags that left the commit their version was published from (F24)", () => {
    const release = (version: string, commit: string) =>
      ({ version, tag: `v${version}`, reference: "tag", commit }) as const;
    const [one, two] = ["1".repeat(40), "2".repeat(40)];
    const releases = [release("1.2.0", two), release("1.1.0", one), release("1.0.0", one)];
    expect(movedTags(releases, { "1.2.0": one, "1.1.0": one, "0.9.0": two })).toEqual([
      { version: "1.2.0", tag: "v1.2.0", published: one, now: two },
    ]);
  });
});
