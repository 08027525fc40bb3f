import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectVersions, compareVersions, type TagCandidate, mirrorTag } from "../../components/decide/versions";

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
    expect(versionsOf("v11.9.1 server/public/v0.1.21 cloud-2026-01-01-1 v11.8")).toEqual(["11.9.1"]);
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
    ["v01.2.3", /leading zero/],
    ["v1.2.99999999999999999999", /out of range/],
    ["v1.2.3-rc1", /pre-release/],
    ["v1.2.3+build", /tag rule/],
    ["v1.2", /tag rule/],
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
      rejected: [{ tag: "rel/1.0.0", reason: "no valid image tag: at most 128 of A-Z a-z 0-9 . _ -" }],
    });
  });

  it("copes with ten thousand hostile tags around three good ones", () => {
    const hostile = Array.from({ length: 10_000 }, (_, index) => candidate(`v1.0.${index}$(touch canary)`));
    const found = collectVersions([...hostile, ...candidates("v1.0.0 v1.0.1 v1.0.2")], {});
    expect(found.releases.map(({ version }) => version)).toEqual(["1.0.2", "1.0.1", "1.0.0"]);
    expect(found.rejected).toHaveLength(10_000);
  });
});

describe("collectVersions, for any list of tags", () => {
  const part = fc.constantFrom(9, 10);
  const version = fc.tuple(part, part, part).map((parts) => parts.join("."));
  const suffix = fc.constantFrom("", "", "", "-rc1", "-limitless", ";id", "\n");
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
        expect(new Set(versions).size).toBe(versions.length);
        const numbers = versions.map((text) => text.split(".").reduce((sum, digits) => sum * 1000 + Number(digits), 0));
        expect(numbers).toEqual(numbers.toSorted((left, right) => right - left));
        for (const release of releases) {
          expect(release.version).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+$/);
          expect(release.tag).toMatch(/^v?[0-9.]+$/);
          expect(release.commit).toMatch(/^[ab]{40}$/);
        }
      }),
    );
  });
});

describe("compareVersions", () => {
  it("puts what is no semantic version behind, in a fixed order", () => {
    expect(["beef0000", "1.9.0", "91a1b420", "1.10.0"].toSorted(compareVersions)).toEqual([
      "1.10.0",
      "1.9.0",
      "91a1b420",
      "beef0000",
    ]);
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

  it.each(["v1.2.3+1", "a/1.2.3", "-1.2.3", ".1.2.3", "", "1.2.3\n", "1".repeat(129)])("refuses the tag %j", (tag) => {
    expect(() => mirrorTag({ tagStyle: "upstream" }, { ...release, tag })).toThrow(
      /cannot be an image tag; accepted are/,
    );
  });
});
