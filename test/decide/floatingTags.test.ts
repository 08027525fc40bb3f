import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FloatingCandidate, desiredFloatingTags, floatingTagMoves } from "../../components/decide/floatingTags";
import type { FloatingTagRule } from "../../components/model/appSpecification";
import type { Digest } from "../../components/model/digest";
import type { Probe } from "../../components/model/probe";

const digest = (seed: number): Digest => `sha256:${String(seed).padStart(64, "0")}`;
const commitOf = (seed: number): string => `c0ffee${String(seed).padStart(2, "0")}`.padEnd(40, "0");
const present = (value: Digest): Probe => ({ state: "present", digest: value, platforms: {}, lost: {}, others: [] });
const complete = (version: string, seed: number): FloatingCandidate => ({
  version,
  mirrorTag: version,
  state: "complete",
  digest: digest(seed),
  commit: commitOf(seed),
});
const pending = (version: string, seed?: number): FloatingCandidate => ({
  version,
  mirrorTag: version,
  state: "pending",
  ...(seed !== undefined && { digest: digest(seed), commit: commitOf(seed) }),
});
const incomplete = (version: string, seed: number): FloatingCandidate => ({
  ...complete(version, seed),
  state: "incomplete",
});
const absent: Probe = { state: "absent" };

const desired = (
  rules: readonly FloatingTagRule[],
  versions: readonly FloatingCandidate[],
): Record<string, readonly string[]> =>
  Object.fromEntries(desiredFloatingTags(rules, versions).tags.map(({ tag, candidates }) => [tag, candidates]));
const move = (
  rule: FloatingTagRule,
  versions: readonly FloatingCandidate[],
  probe: Probe | undefined,
  recorded?: { readonly version: string; readonly digest: Digest },
) => {
  const [tag] = desiredFloatingTags([rule], versions).tags;
  if (!tag) throw new Error("the test's versions want no floating tag");
  const current = probe ? { [tag.tag]: probe } : {};
  return floatingTagMoves([tag], versions, current, recorded && { [tag.tag]: recorded })[0];
};

describe("desiredFloatingTags", () => {
  const versions = [complete("9.11.5", 1), complete("10.1.0", 2), complete("10.0.3", 3), complete("10.1.1", 4)];

  it("points every rule's tags at the highest version of their line", () => {
    expect(desired(["latest", "major", "minor"], versions)).toEqual({
      latest: ["10.1.1"],
      "9": ["9.11.5"],
      "10": ["10.1.1"],
      "9.11": ["9.11.5"],
      "10.0": ["10.0.3"],
      "10.1": ["10.1.1"],
    });
  });

  it("names each version's own commit, in full words or bare", () => {
    expect(desired(["sha", "commit"], versions.slice(0, 2))).toEqual({
      "sha-c0ffee01": ["9.11.5"],
      "sha-c0ffee02": ["10.1.0"],
      c0ffee01: ["9.11.5"],
      c0ffee02: ["10.1.0"],
    });
  });

  it("never names an incomplete version", () => {
    expect(desired(["latest", "major", "sha"], [incomplete("10.1.0", 1), complete("9.0.0", 2)])).toEqual({
      latest: ["9.0.0"],
      "9": ["9.0.0"],
      "sha-c0ffee02": ["9.0.0"],
    });
    expect(desired(["latest"], [incomplete("10.1.0", 1)])).toEqual({});
  });

  it("lists versions still to be built, best first, down to the first that is certain", () => {
    const list = [complete("1.0.0", 1), pending("1.2.0"), pending("1.3.0"), complete("1.1.0", 2)];
    expect(desired(["latest"], list)).toEqual({ latest: ["1.3.0", "1.2.0", "1.1.0"] });
    expect(desired(["latest"], [pending("1.2.0"), pending("1.3.0")])).toEqual({ latest: ["1.3.0", "1.2.0"] });
  });

  it("follows only the head of a branch, because commits have no order", () => {
    const older: FloatingCandidate = {
      version: "ffffffff",
      mirrorTag: "ffffffff",
      state: "complete",
      digest: digest(1),
    };
    const head: FloatingCandidate = { version: "00000001", mirrorTag: "00000001", state: "pending", head: true };
    expect(desired(["latest", "major", "minor"], [older, head])).toEqual({ latest: ["00000001"] });
    expect(desired(["latest"], [older])).toEqual({});
  });

  it("leaves out a tag that is its own version's tag already", () => {
    const head: FloatingCandidate = {
      version: "91a1b420",
      mirrorTag: "91a1b420",
      state: "complete",
      head: true,
      digest: digest(1),
      commit: "91a1b420".padEnd(40, "0"),
    };
    expect(desiredFloatingTags(["commit", "latest"], [head])).toEqual({
      tags: [{ tag: "latest", fixed: false, candidates: ["91a1b420"] }],
      refused: [],
    });
  });

  it("refuses a tag that is the tag of another version", () => {
    const taken: FloatingCandidate = { ...incomplete("1.0.0", 1), mirrorTag: "2.1" };
    expect(desiredFloatingTags(["minor"], [taken, complete("2.1.0", 2)])).toEqual({
      tags: [],
      refused: [{ tag: "2.1", reason: "it is the tag of version 1.0.0" }],
    });
  });
});

describe("floatingTagMoves", () => {
  const both = [complete("10.1.0", 2), complete("9.11.5", 1)];

  it("creates a tag that is absent", () => {
    expect(move("latest", both, absent)).toEqual({ tag: "latest", action: "create", candidates: ["10.1.0"] });
  });

  it("leaves a tag alone that names the best version already", () => {
    expect(move("latest", both, present(digest(2)))).toEqual({
      tag: "latest",
      action: "unchanged",
      candidates: ["10.1.0"],
      current: { digest: digest(2), version: "10.1.0" },
    });
  });

  it("does not move a tag to a version that may be lower than the one it names, which the registry did not tell of", () => {
    const doubt = (version: string) => ({ version, mirrorTag: version, state: "incomplete", inDoubt: true }) as const;
    const unseen = doubt("1.1.0");
    expect(move("latest", [unseen, complete("1.0.0", 1)], present(digest(9)))).toMatchObject({
      ...{ action: "hold", problem: true, candidates: [] },
      held: expect.stringMatching(/may name 1\.1\.0/) as string,
    });
    expect(move("latest", [complete("1.2.0", 2), unseen], present(digest(9)))).toMatchObject({ action: "move" });
    expect(move("latest", [unseen, complete("1.0.0", 1)], absent)).toMatchObject({ action: "create" });
    const lines = [doubt("2.0.0"), unseen, complete("1.0.0", 1)];
    expect(move("major", lines, present(digest(9)))).toMatchObject({ tag: "1", action: "hold" });
    const record = { version: "1.0.0", digest: digest(9) };
    expect(move("latest", [unseen, complete("1.0.0", 1)], present(digest(9)), record)).toMatchObject({
      action: "move",
    });
  });

  it("takes a tag forward that was moved back, or to something unknown (F17)", () => {
    expect(move("latest", both, present(digest(1)))).toMatchObject({ action: "move", candidates: ["10.1.0"] });
    expect(move("latest", both, present(digest(99)))).toMatchObject({ action: "move", candidates: ["10.1.0"] });
  });

  it("does not follow a backport, be it published or still to be built (F17)", () => {
    const backport = [complete("10.1.0", 2), pending("9.11.6")];
    expect(move("latest", backport, present(digest(2)))).toMatchObject({ action: "unchanged", candidates: ["10.1.0"] });
  });

  it("does not go back when the version it names has become incomplete", () => {
    const broken = [incomplete("10.1.0", 2), complete("9.11.5", 1)];
    expect(move("latest", broken, present(digest(2)))).toMatchObject({
      action: "hold",
      candidates: [],
      problem: false,
    });
  });

  it("offers only versions above the present one when the new ones may fail to build", () => {
    const list = [pending("1.3.0"), pending("1.2.0"), pending("1.1.0"), complete("1.0.0", 1), incomplete("1.1.5", 5)];
    expect(move("latest", list, present(digest(5)))).toMatchObject({ action: "move", candidates: ["1.3.0", "1.2.0"] });
    expect(move("latest", list, present(digest(1)))).toMatchObject({
      action: "move",
      candidates: ["1.3.0", "1.2.0", "1.1.0", "1.0.0"],
    });
  });

  it("follows a version that gains a platform in this run, and goes to no lower one if that fails", () => {
    const list = [pending("10.1.0", 2), complete("9.11.5", 1)];
    expect(move("latest", list, present(digest(2)))).toMatchObject({ action: "move", candidates: ["10.1.0"] });
  });

  it("knows from the record which version an outdated digest was", () => {
    const record = { version: "10.1.0", digest: digest(50) };
    expect(move("latest", both, present(digest(50)), record)).toMatchObject({ action: "move", candidates: ["10.1.0"] });
    const gone = [complete("9.11.5", 1)];
    expect(move("latest", gone, present(digest(50)), record)).toMatchObject({
      action: "hold",
      held: "it names 10.1.0, higher than every complete version",
    });
    expect(move("latest", gone, present(digest(51)), record)).toMatchObject({ action: "move", candidates: ["9.11.5"] });
  });

  it("takes the tag of a line back from a higher version of another line", () => {
    const list = [complete("11.0.0", 3), complete("10.1.0", 2)];
    const moves = floatingTagMoves(desiredFloatingTags(["major"], list).tags, list, {
      "10": present(digest(3)),
      "11": present(digest(3)),
    });
    expect(moves.map(({ tag, action, candidates }) => [tag, action, candidates])).toEqual([
      ["11", "unchanged", ["11.0.0"]],
      ["10", "move", ["10.1.0"]],
    ]);
  });

  it("does not move a tag the registry gave no answer about", () => {
    const outage: Probe = { state: "unknown", cause: "outage", reason: "503" };
    expect(move("latest", both, outage)).toMatchObject({ action: "hold", candidates: [], problem: true, held: /503/ });
    expect(move("latest", both, undefined)).toMatchObject({ action: "hold", problem: true });
  });

  it("moves the latest of a branch to its new head", () => {
    const older: FloatingCandidate = {
      version: "ffffffff",
      mirrorTag: "ffffffff",
      state: "complete",
      digest: digest(1),
    };
    const head: FloatingCandidate = { version: "00000001", mirrorTag: "00000001", state: "pending", head: true };
    expect(move("latest", [older, head], present(digest(1)))).toMatchObject({
      action: "move",
      candidates: ["00000001"],
    });
  });

  it("never moves a commit's tag to anything else", () => {
    const list = [complete("1.0.0", 1)];
    expect(move("sha", list, absent)).toMatchObject({ action: "create", candidates: ["1.0.0"] });
    expect(move("sha", list, present(digest(1)))).toMatchObject({ action: "unchanged" });
    expect(move("sha", list, present(digest(9)))).toMatchObject({ action: "hold", problem: true });
  });

  it("keeps a commit's tag with the version that has it when a higher one comes from the same commit", () => {
    const higher: FloatingCandidate = { ...complete("1.0.1", 2), commit: commitOf(1) };
    expect(move("sha", [complete("1.0.0", 1), higher], present(digest(1)))).toMatchObject({
      action: "unchanged",
      candidates: ["1.0.0"],
    });
  });

  it("leaves a commit's tag with a version that has become incomplete, though a higher one comes from the same commit", () => {
    const higher: FloatingCandidate = { ...complete("1.0.1", 2), commit: commitOf(1) };
    expect(move("sha", [incomplete("1.0.0", 1), higher], present(digest(1)))).toMatchObject({
      action: "hold",
      candidates: [],
      held: "its version 1.0.0 is not complete",
      problem: false,
    });
  });

  it("lets a commit's tag follow its own version when that gains a platform", () => {
    expect(move("commit", [pending("1.0.0", 1)], present(digest(1)))).toMatchObject({
      action: "move",
      candidates: ["1.0.0"],
    });
    const record = { version: "1.0.0", digest: digest(7) };
    expect(move("commit", [complete("1.0.0", 1)], present(digest(7)), record)).toMatchObject({
      action: "move",
      candidates: ["1.0.0"],
    });
  });
});

describe("floating tags of versions that are not X.Y.Z", () => {
  const ladder = (...names: readonly string[]) => names.map((name, index) => complete(name, index));

  it("follow the parts there are", () => {
    expect(desired(["latest", "major", "minor"], ladder("9.3.0.17", "9.3.0.6", "9.2.1.8"))).toEqual({
      latest: ["9.3.0.17"],
      "9": ["9.3.0.17"],
      "9.3": ["9.3.0.17"],
      "9.2": ["9.2.1.8"],
    });
    expect(desired(["major", "minor"], ladder("2026.07.2", "2026.07.1"))).toEqual({
      "2026": ["2026.07.2"],
      "2026.07": ["2026.07.2"],
    });
    expect(desired(["major", "minor"], ladder("4.6-r13", "4.6-r9"))).toEqual({ "4": ["4.6-r13"], "4.6": ["4.6-r13"] });
    expect(desired(["major", "minor"], ladder("11146-2", "11146-1"))).toEqual({ "11146": ["11146-2"] });
  });

  it("never take the tag of a version", () => {
    const { tags, refused } = desiredFloatingTags(["minor"], ladder("4.1.1", "4.1", "4.3"));
    expect(tags).toEqual([]);
    expect(refused).toEqual([{ tag: "4.1", reason: "it is the tag of version 4.1" }]);
  });

  it("move to a later revision and never back", () => {
    const versions = ladder("4.6-r9", "4.6-r13");
    expect(move("minor", versions, present(digest(0)))).toMatchObject({ action: "move", candidates: ["4.6-r13"] });
    expect(move("minor", versions.slice(0, 1), present(digest(7)), { version: "4.6-r13", digest: digest(7) })).toEqual(
      expect.objectContaining({ action: "hold", problem: false }),
    );
  });

  it("take a commit of digits alone for no version", () => {
    const of = (name: string, seed: number, head: boolean): FloatingCandidate => ({
      ...complete(name, seed),
      commit: name.padEnd(40, "0"),
      head,
    });
    const versions = [of("22345678", 1, false), of("12345678", 2, true)];
    expect(desired(["latest", "major", "minor"], versions)).toEqual({ latest: ["12345678"] });
    expect(move("latest", versions, present(digest(1)))).toMatchObject({ action: "move", candidates: ["12345678"] });
    const since = [of("22345678", 1, false), complete("1.0.0", 3)];
    expect(move("latest", since, present(digest(1)))).toMatchObject({ action: "move", candidates: ["1.0.0"] });
  });
});

describe("floatingTagMoves, for any versions", () => {
  const part = fc.integer({ min: 0, max: 3 });
  const states = fc.constantFrom<FloatingCandidate["state"]>("complete", "pending", "incomplete");
  const anyVersions = fc
    .uniqueArray(fc.tuple(part, part, part, states, fc.boolean()), {
      selector: ([major, minor, patch]) => `${major}.${minor}.${patch}`,
      minLength: 1,
      maxLength: 15,
    })
    .map((rows) =>
      rows.map(([major, minor, patch, state, exists], index): FloatingCandidate => {
        const version = `${major}.${minor}.${patch}`;
        const known = state !== "pending" || exists;
        return { version, mirrorTag: version, state, commit: commitOf(index), ...(known && { digest: digest(index) }) };
      }),
    );
  const rank = (version: string): number => Number(version.replaceAll(".", ""));

  it("only ever offers complete or pending versions of the tag's line, in falling order, none below the present one", () => {
    const rules: readonly FloatingTagRule[] = ["latest", "major", "minor", "sha"];
    fc.assert(
      fc.property(anyVersions, fc.nat(20), (versions, named) => {
        const { tags } = desiredFloatingTags(rules, versions);
        const current = Object.fromEntries(tags.map(({ tag }) => [tag, present(digest(named))]));
        const before = versions.find((version) => version.digest === digest(named));
        for (const { tag, action, candidates } of floatingTagMoves(tags, versions, current)) {
          expect(candidates.length === 0).toBe(action === "hold");
          const ranks = candidates.map(rank);
          expect(ranks).toEqual(ranks.toSorted((left, right) => right - left));
          for (const candidate of candidates) {
            expect(versions.find(({ version }) => version === candidate)?.state).not.toBe("incomplete");
            if (tag === "latest" && before) expect(rank(candidate)).toBeGreaterThanOrEqual(rank(before.version));
            if (/^[0-9.]+$/.test(tag)) expect(`${candidate}.`.startsWith(`${tag}.`)).toBe(true);
          }
        }
      }),
    );
  });

  it("answers the same for every order of the versions", () => {
    fc.assert(
      fc.property(anyVersions, (versions) => {
        const rules: readonly FloatingTagRule[] = ["latest", "minor"];
        expect(desired(rules, versions.toReversed())).toEqual(desired(rules, versions));
      }),
    );
  });
});
