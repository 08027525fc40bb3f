import { describe, expect, it } from "vitest";
import type { AppOutcome } from "../../components/declare/appOutcome";
import { MirroredApp } from "../../components/declare/mirroredApp";
import type { AppPlan, PlannedFloatingTag, PlannedVersion } from "../../components/decide/appPlan";
import type { VersionPlan } from "../../components/decide/versionPlan";
import type { VersionServices } from "../../components/declare/versionServices";
import { appPlan, both, services, planned, repository, toBuild, whole } from "./plans";
import { allowRejections, digestFor, type MockBehaviour, RecordingMock } from "./recordingMock";

allowRejections();

const index = "docker-build:index:Index";

async function declare(
  plan: AppPlan,
  over: Partial<VersionServices> = {},
  behaviour: MockBehaviour = {},
): Promise<{ mock: RecordingMock; outcome: AppOutcome }> {
  const mock = new RecordingMock(behaviour);
  const looked = new Set<string>();
  const lookAgain: VersionServices["lookAgain"] = (tag) => {
    const written = looked.has(tag) ? { digest: digestFor(tag), platforms: platformsOf(tag) } : undefined;
    looked.add(tag);
    return Promise.resolve(written);
  };
  const outcome = await new MirroredApp("app", { plan, services: services({ lookAgain, ...over }) }).ended;
  await mock.settled();
  return { mock, outcome };
}

const platformsOf = (tag: string): Record<string, `sha256:${string}`> =>
  Object.fromEntries(both.map((platform) => [platform, digestFor(`${tag} ${platform}`)]));
const version = (name: string) => planned({ version: name, tag: name });
const published = (name: string) =>
  planned({ version: name, tag: name, recipes: [], plan: whole(digestFor(`held ${name}`), {}) });
const latest = (over: Partial<PlannedFloatingTag>): PlannedFloatingTag => ({
  tag: "latest",
  action: "create",
  candidates: [],
  ...over,
});
/** What the tags were declared to name. */
const sources = (mock: RecordingMock, name = "app-latest"): unknown => mock.of(index)[name]?.sources;

describe("an app", () => {
  it("is a component per version it has something to declare for, named after app and version", async () => {
    const gone = planned({ version: "0.9.0", plan: { state: "gone", build: [], keep: {}, lacking: [] }, recipes: [] });
    const { mock, outcome } = await declare(appPlan({ versions: [published("1.1.0"), version("1.0.0"), gone] }));
    expect(Object.keys(mock.of("multiarch-mirror:index:MirroredApp"))).toEqual(["app"]);
    expect(Object.keys(mock.of("multiarch-mirror:index:MirroredVersion"))).toEqual(["app-1.0.0"]);
    expect(Object.keys(outcome.outcomes)).toEqual(["1.1.0", "1.0.0"]);
    expect(outcome.published.versions["1.1.0"]).toMatchObject({ origin: "adopted" });
  });

  it("ends with the record of what is published and one failure for each thing that went wrong", async () => {
    const versions = [version("1.1.0"), version("1.0.0")];
    const { outcome } = await declare(
      appPlan({ versions, problems: ["discovery failed"] }),
      {},
      { failing: ["app-1.1.0-linux-arm64"] },
    );
    expect(outcome.published).toMatchObject({ repository, versions: { "1.0.0": { origin: "built" } } });
    expect(Object.keys(outcome.published.versions)).toEqual(["1.0.0"]);
    expect(outcome.failures).toEqual(["discovery failed", "1.1.0: the build for linux/arm64 failed"]);
  });
});

it("does not take a version that waits for one that failed", async () => {
  const plan: VersionPlan = { state: "missing", build: [], keep: {}, lacking: both };
  const waiting = { until: new Date(1), failure: { count: 1, last: new Date(0).toISOString(), reason: "no space" } };
  const versions = [planned({ plan, recipes: [], waiting })];
  const { outcome } = await declare(appPlan({ versions }));
  expect(outcome.outcomes["1.0.0"]).toMatchObject({ state: "waiting" });
  expect(outcome.failures).toEqual([]);
});

describe("a floating tag", () => {
  it("is an index with the version's index by digest as its only source", async () => {
    const versions = [version("1.1.0"), published("1.0.0")];
    const { mock, outcome } = await declare(
      appPlan({ versions, floatingTags: [latest({ candidates: ["1.1.0", "1.0.0"] })] }),
    );
    const digest = digestFor(`${repository}:1.1.0`);
    expect(mock.of(index)["app-latest"]).toEqual({
      tag: `${repository}:latest`,
      sources: [`${repository}@${digest}`],
      push: true,
    });
    expect(outcome.published.floatingTags).toEqual({
      latest: { version: "1.1.0", digest, source: `${repository}@${digest}` },
    });
  });

  it.each([
    ["in an update", false, [[`${repository}:latest`, digestFor("held 1.1.0")]]],
    ["in no preview", true, []],
  ])("that names something has way made for what it is to name, %s", async (_, preview, expected) => {
    const ways: unknown[] = [];
    const floatingTags = [latest({ action: "move", candidates: ["1.1.0"], current: { digest: digestFor("old") } })];
    const makeWay: VersionServices["makeWay"] = (...asked) => Promise.resolve(void ways.push(asked));
    await declare(appPlan({ versions: [published("1.1.0")], floatingTags }), { makeWay }, { preview });
    expect(ways).toEqual(expected);
  });

  it("goes to the next candidate when the best one fails in this very run", async () => {
    const versions = [version("1.1.0"), published("1.0.0")];
    const { mock } = await declare(
      appPlan({ versions, floatingTags: [latest({ candidates: ["1.1.0", "1.0.0"] })] }),
      {},
      { failing: ["app-1.1.0-linux-amd64"] },
    );
    expect(sources(mock)).toEqual([`${repository}@${digestFor("held 1.0.0")}`]);
  });

  describe("goes on naming the highest complete version", () => {
    type Look = VersionServices["lookAgain"];
    const half = { digest: digestFor("half"), platforms: { "linux/amd64": digestFor("amd") } };
    const both2 = { "linux/amd64": digestFor("amd"), "linux/arm64": digestFor("arm") };
    const managed = { tag: "1.1.0", digest: digestFor("lost"), platforms: both2, origin: "built" } as const;
    const completing: VersionPlan = {
      ...{ state: "partial", build: ["linux/arm64"], keep: {}, lacking: [], offers: both, present: half },
      sources: [
        { kind: "existing", digest: half.digest },
        { kind: "build", platform: "linux/arm64" },
      ],
    };
    const trouble = () => Promise.reject(new Error("503"));
    /** What the tag answers, first before it is written, then after. */
    const looks = (...answers: ReturnType<Look>[]): Partial<VersionServices> => {
      const left = answers.map((answer) => ({ answer }));
      for (const { answer } of left) answer.catch(() => undefined);
      return { lookAgain: () => left.shift()?.answer ?? trouble() };
    };

    const beginnings: readonly (readonly [string, Partial<PlannedVersion>, typeof half | undefined])[] = [
      ["is new", { plan: toBuild }, undefined],
      ["was to gain a platform", { plan: completing }, half],
      ["was lost by the registry", { plan: toBuild, managed }, undefined],
    ];
    const ends: readonly (readonly [
      string,
      (before: typeof half | undefined) => Partial<VersionServices>,
      MockBehaviour,
    ])[] = [
      ["its build fails", () => ({}), { failing: ["app-1.1.0-linux-arm64"] }],
      ["its check fails", () => ({ check: () => Promise.reject(new Error("wrong")) }), {}],
      ["its tag cannot be looked at before it is written", () => looks(trouble()), {}],
      ["its index is refused", () => ({}), { withoutDigest: ["app-1.1.0"] }],
      ["its index fails", () => ({}), { failing: ["app-1.1.0"] }],
      ["its tag is absent afterwards", (before) => looks(Promise.resolve(before), Promise.resolve(undefined)), {}],
      ["its tag cannot be read back", (before) => looks(Promise.resolve(before), trouble()), {}],
      ["its index lacks a platform", (before) => looks(Promise.resolve(before), Promise.resolve(half)), {}],
    ];
    const ways = beginnings.flatMap(([begins, over, before]) =>
      ends.map(([ends, ...end]) => [begins, ends, over, before, ...end] as const),
    );

    it.each(ways)("when a higher one %s, and %s", async (_begins, _ends, over, before, services, behaviour) => {
      const versions = [planned({ version: "1.1.0", tag: "1.1.0", ...over }), published("1.0.0")];
      const floatingTags = [latest({ candidates: ["1.1.0", "1.0.0"] })];
      const answers = { lookAgain: () => Promise.resolve(before), ...services(before) };
      const { mock, outcome } = await declare(appPlan({ versions, floatingTags }), answers, behaviour);
      expect(sources(mock)).toEqual([`${repository}@${digestFor("held 1.0.0")}`]);
      expect(outcome.published.floatingTags).toMatchObject({ latest: { version: "1.0.0" } });
      expect(outcome.failures).toEqual([expect.stringMatching(/^1\.1\.0: /)]);
    });
  });

  it("is not written when none of its candidates is published, and the failure says so", async () => {
    const { mock, outcome } = await declare(
      appPlan({ versions: [version("1.1.0")], floatingTags: [latest({ candidates: ["1.1.0"] })] }),
      { check: () => Promise.reject(new Error("wrong")) },
    );
    expect(mock.of(index)).toEqual({});
    expect(outcome.published.floatingTags).toEqual({});
    expect(outcome.failures[0]).toMatch(/^1\.1\.0: .*wrong/);
  });

  it("is no resource while it stays where it is and this stack never wrote it", async () => {
    const floatingTags = [latest({ action: "unchanged", candidates: ["1.0.0"] }), latest({ tag: "1", action: "hold" })];
    const { mock } = await declare(appPlan({ versions: [published("1.0.0")], floatingTags }));
    expect(mock.of(index)).toEqual({});
  });

  it.each(["unchanged", "hold"] as const)(
    "that this stack wrote is declared as recorded when it is %s",
    async (action) => {
      const managed = { version: "1.0.0", digest: digestFor("x"), source: `${repository}:1.0.0@${digestFor("x")}` };
      const floatingTags = [latest({ action, candidates: ["1.0.0"], managed })];
      const { mock, outcome } = await declare(appPlan({ versions: [published("1.0.0")], floatingTags }));
      expect(sources(mock)).toEqual([managed.source]);
      expect(outcome.published.floatingTags).toEqual({ latest: managed });
    },
  );

  it("that others moved is written again although it names the same as recorded", async () => {
    const digest = digestFor("held 1.0.0");
    const managed = { version: "1.0.0", digest, source: `${repository}@${digest}` };
    const floatingTags = [
      latest({
        action: "move",
        candidates: ["1.0.0"],
        managed,
        written: [managed.source],
        current: { digest: digestFor("theirs") },
      }),
    ];
    const { mock } = await declare(appPlan({ versions: [published("1.0.0")], floatingTags }));
    expect(sources(mock)).toEqual([`${repository}:1.0.0@${digest}`]);
  });

  it("keeps its record and is a failure when it could not be written", async () => {
    const floatingTags = [latest({ action: "move", candidates: ["1.0.0"] })];
    const { outcome } = await declare(
      appPlan({ versions: [published("1.0.0")], floatingTags }),
      {},
      { withoutDigest: ["app-latest"] },
    );
    const problem = "floating tag latest could not be written";
    expect(outcome).toMatchObject({ problems: [], unwritten: [{ tag: "latest", problem }], failures: [problem] });
    expect(outcome.published.floatingTags).toEqual({});
  });

  it("of a version that is still to be built is shown in a preview, and is no problem", async () => {
    const { mock, outcome } = await declare(
      appPlan({ versions: [version("1.0.0")], floatingTags: [latest({ candidates: ["1.0.0"] })] }),
      {},
      { preview: true },
    );
    expect(Object.keys(mock.of(index)).toSorted()).toEqual(["app-1.0.0", "app-latest"]);
    expect(outcome.failures).toEqual([]);
  });
});
