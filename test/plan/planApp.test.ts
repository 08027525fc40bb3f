import { describe, expect, it } from "vitest";
import { withCheckedFunctions } from "../../components/config/appFunctions";
import { releaseLabels } from "../../components/decide/labels";
import type { PlannedVersion } from "../../components/decide/appPlan";
import type { AppSettings } from "../../components/config/appSettings";
import { planReport } from "../../components/report/planReport";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { BuildRecord, BuiltRecord } from "../../components/model/buildRecord";
import type { Platform } from "../../components/model/platform";
import type { Probe } from "../../components/model/probe";
import { exampleBuild } from "../attest/fixtures";
import type { PublishedApp } from "../../components/model/published";
import { planApp } from "../../components/plan/planApp";
import {
  amd,
  arm,
  digest,
  FakeEdges,
  held,
  managed,
  release,
  repository,
  request,
  settings,
  specification,
} from "./fakeEdges";

const unknown = { state: "unknown", cause: "outage", reason: "500" } as const;
const record = (versions: PublishedApp["versions"], over: Partial<PublishedApp> = {}): PublishedApp => ({
  repository,
  versions,
  floatingTags: {},
  ...over,
});

describe("the plan of an app", () => {
  it("plans the window, highest version first, asking the registry once for each version and floating tag", async () => {
    const edges = new FakeEdges(
      ["1.0.0", "1.2.0", "1.1.0"].map((name) => release(name)),
      { "1.1.0": held("1.1.0") },
    );
    const plan = await planApp(request(), edges);
    expect(plan.versions.map(({ version, plan: { state, build } }) => [version, state, build])).toEqual([
      ["1.2.0", "missing", [amd, arm]],
      ["1.1.0", "published", []],
    ]);
    expect(edges.probed).toEqual(["latest", "1.2.0", "1.1.0"].map((tag) => `${repository}:${tag}`));
    expect(edges.prepared.map(({ release: { version }, platforms }) => [version, platforms])).toEqual([
      ["1.2.0", [amd, arm]],
    ]);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "create", candidates: ["1.2.0", "1.1.0"] }]);
    expect(plan.problems).toEqual([]);
    expect(plan.rejected).toEqual([{ tag: "v1.0.0-rc.1", reason: "pre-release" }]);
    expect(plan.window).toEqual({ kept: ["1.2.0", "1.1.0"], listed: ["1.0.0", "1.2.0", "1.1.0"] });
  });

  it("F39 tells of functions of the app's file that do not work before they are needed, and where they are", async () => {
    const broken = {
      ...specification,
      buildArguments: (): never => {
        throw new Error("boom");
      },
    };
    const told = 'buildArguments of app "app", for 1.1.0 on linux/amd64, linux/arm64: it throws "boom"';
    const asked = { ...request(), specification: withCheckedFunctions(broken) };
    const all = { "1.1.0": held("1.1.0"), "1.0.0": held("1.0.0"), latest: held("1.1.0") };
    const published = await planApp(
      asked,
      new FakeEdges(
        ["1.1.0", "1.0.0"].map((name) => release(name)),
        all,
      ),
    );
    expect(published.problems).toEqual([told]);
    expect(published.versions.map(({ plan }) => [plan.state, plan.problem])).toEqual([
      ["published", undefined],
      ["published", undefined],
    ]);

    const edges = new FakeEdges(
      ["1.1.0", "1.0.0"].map((name) => release(name)),
      { "1.0.0": held("1.0.0") },
    );
    const missing = await planApp(asked, edges);
    expect(missing.problems).toEqual([]);
    expect(missing.versions.map(({ plan }) => [plan.state, plan.build, plan.problem])).toEqual([
      ["missing", [], told],
      ["published", [], undefined],
    ]);
    expect(edges.prepared).toEqual([]);
  });

  it("keeps latest where it is and says why when the highest version may be none", async () => {
    const offered = ["20260101.0.0", "2026.1.0"].map((name) => release(name));
    const plan = await planApp(request(), new FakeEdges(offered, { "2026.1.0": held("2026.1.0") }));
    expect(plan.problems).toEqual([
      expect.stringMatching(/^version "v20260101\.0\.0" is more than a hundred times the next, "v2026\.1\.0"; /),
    ]);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "hold", candidates: [] }]);
    expect(plan.notes).toContain("floating tag latest stays: the highest version is in doubt");
    const excluding = { ...settings, exclude: ["20260101.0.0"] };
    const settled = await planApp(request({ settings: excluding }), new FakeEdges(offered));
    expect(settled.problems).toEqual([]);
    expect(settled.floatingTags).toMatchObject([{ tag: "latest", action: "create" }]);
  });

  it("leaves latest as it is, without a word of it, while the highest version is in doubt", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0"), latest: held("1.0.0") });
    edges.discover = () =>
      Promise.resolve({
        releases: [release("1.0.0")],
        rejected: [{ tag: "release-2.0.0", reason: "not a version", unread: true }],
      });
    const plan = await planApp(request(), edges);
    expect(plan.problems).toEqual([expect.stringMatching(/"release-2\.0\.0" .* "v1\.0\.0"/)]);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "unchanged" }]);
  });

  it("builds the platforms a run is for, though the version waits for others and gets no tag", async () => {
    const edges = new FakeEdges(
      ["1.1.0", "1.0.0"].map((name) => release(name)),
      { "1.0.0": held("1.0.0", [amd]) },
    );
    edges.run = { phase: "all", covers: (platform) => platform === arm };
    const plan = await planApp(request(), edges);
    const [ahead, completed] = plan.versions.map((version) => version.plan);
    expect(ahead).toMatchObject({ state: "missing", build: [arm], lacking: [amd] });
    expect(ahead?.sources).toBeUndefined();
    expect(completed).toMatchObject({ state: "partial", build: [arm], lacking: [] });
    expect(completed?.sources).toBeDefined();
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", candidates: ["1.0.0"] }]);
  });

  it("plans managed versions although they have left the window or upstream's list", async () => {
    const edges = new FakeEdges(
      ["1.2.0", "1.1.0", "1.0.0"].map((name) => release(name)),
      {
        "1.2.0": held("1.2.0"),
        "1.1.0": held("1.1.0"),
        "1.0.0": held("1.0.0"),
        "0.9.0": held("0.9.0"),
      },
    );
    const published = record({ "1.0.0": managed("1.0.0"), "0.9.0": managed("0.9.0") });
    const plan = await planApp(request({ published }), edges);
    expect(plan.versions.map(({ version, inWindow }) => [version, inWindow])).toEqual([
      ["1.2.0", true],
      ["1.1.0", true],
      ["1.0.0", false],
      ["0.9.0", false],
    ]);
    expect(plan.versions.at(-1)?.plan).toMatchObject({ state: "published", build: [] });
    expect(plan.versions.at(-1)?.plan.sources).toHaveLength(2);
  });

  it("asks upstream while the record is still being read", async () => {
    const edges = new FakeEdges([release("1.0.0")]);
    const { discover } = edges;
    const published = new Promise<PublishedApp>((resolve) => {
      edges.discover = async (...asked) => {
        resolve(record({ "0.9.0": managed("0.9.0") }));
        return discover(...asked);
      };
    });
    const plan = await planApp(request({ published }), edges);
    expect(plan.versions.map(({ version }) => version)).toEqual(["1.0.0", "0.9.0"]);
  });

  it("ends with the reason when the record cannot be read", async () => {
    const published = Promise.reject(new Error("the state cannot be read"));
    await expect(planApp(request({ published }), new FakeEdges([]))).rejects.toThrow("the state cannot be read");
  });

  it("takes no notice of a record about another repository", async () => {
    const published = record({ "0.9.0": managed("0.9.0") }, { repository: "elsewhere.example/mirror/app" });
    const plan = await planApp(request({ published }), new FakeEdges([release("1.0.0")]));
    expect(plan.versions.map(({ version }) => version)).toEqual(["1.0.0"]);
  });

  it("takes no notice of a record of a version about another tag", async () => {
    const published = record({ "1.0.0": managed("1.0.0") });
    const asked = { ...request({ published }), specification: { ...specification, tagStyle: "upstream" as const } };
    const edges = new FakeEdges([release("1.0.0")], {
      "v1.0.0": held("of others"),
      ...Object.fromEntries(Object.values(held("1.0.0").platforms).map((value) => [`@${value}`, held("1.0.0")])),
    });
    const { versions } = await planApp(asked, edges);
    expect(versions).toMatchObject([{ tag: "v1.0.0", plan: { build: [] } }]);
    expect(versions[0]).not.toHaveProperty("plan.sources");
  });

  it("declares what it manages as before, and moves no tag, when upstream cannot be asked", async () => {
    const latest = { version: "1.0.0", digest: digest("1.0.0"), source: `${repository}@${digest("1.0.0")}` };
    const edges = new FakeEdges(new Error("git.example does not answer"), {
      "1.0.0": held("1.0.0"),
      latest: held("1.0.0"),
    });
    const published = record({ "1.0.0": managed("1.0.0") }, { floatingTags: { latest } });
    const plan = await planApp(request({ published }), edges);
    expect(plan.problems).toEqual(["git.example does not answer"]);
    expect(
      plan.versions.map(({ version, plan: { state, build, sources } }) => [version, state, build, sources?.length]),
    ).toEqual([["1.0.0", "published", [], 2]]);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "hold", managed: latest }]);
    expect(edges.prepared).toEqual([]);
  });

  it("warns of an upstream tag that was moved after its version was published, and leaves the image", async () => {
    const published = record({ "1.0.0": { ...managed("1.0.0"), commit: "a".repeat(40) } });
    const edges = new FakeEdges([release("1.0.0", "b".repeat(40))], { "1.0.0": held("1.0.0") });
    const plan = await planApp(request({ published }), edges);
    expect(plan.notes.join()).toMatch(/moved the tag of 1\.0\.0 from commit a{40} to b{40}/);
    expect(plan.versions[0]?.plan.build).toEqual([]);
    expect(plan.versions[0]?.recordedCommit).toBe("a".repeat(40));
  });

  it("builds nothing for a tag that cannot be written again, and says in one note what that leaves out", async () => {
    const part = (version: string) => ({ ...held(version), platforms: { [amd]: digest(version) } });
    const edges = new FakeEdges(
      ["1.1.0", "1.0.0"].map((name) => release(name)),
      { "1.1.0": part("1.1.0"), "1.0.0": part("1.0.0") },
    );
    const plan = await planApp(request({ settings: { ...settings, immutableTags: true, floatingTags: [] } }), edges);
    expect([edges.prepared, plan.problems]).toEqual([[], []]);
    expect(plan.notes).toEqual([
      "tags are not written again (immutableTags), so these stay: 1.1.0 without linux/arm64; 1.0.0 without linux/arm64",
    ]);
  });

  it("says what is odd about an index", async () => {
    const odd = { ...held("1.0.0"), remarks: ["it lists 2 manifests for linux/amd64"] };
    const plan = await planApp(request(), new FakeEdges([release("1.0.0")], { "1.0.0": odd }));
    expect(plan.notes).toContain("1.0.0: it lists 2 manifests for linux/amd64");
  });

  it("says that a Docker manifest list becomes an OCI index, where it is completed", async () => {
    const offered = ["1.1.0", "1.0.0"].map((name) => release(name));
    const registry = { "1.1.0": { ...held("1.1.0", [amd]), dockerList: true as const }, "1.0.0": held("1.0.0", [amd]) };
    const told = "1.1.0: its Docker manifest list becomes an OCI index, in which the images it lists stay as they are";
    expect((await planApp(request(), new FakeEdges(offered, registry))).notes).toEqual([told]);
    const edges = new FakeEdges(offered, registry);
    edges.unpreparable = "no such base";
    expect((await planApp(request(), edges)).notes).toEqual([]);
    const whole = { ...registry, "1.1.0": { ...held("1.1.0"), dockerList: true as const } };
    expect((await planApp(request(), new FakeEdges(offered, whole))).notes).toEqual([]);
  });

  it("holds a floating tag the registry does not answer about, as a problem", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0"), latest: unknown });
    const plan = await planApp(request(), edges);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "hold" }]);
    expect(plan.problems).toEqual([expect.stringMatching(/^floating tag latest: .*500/)]);
  });

  it("does not take latest back from a version the registry gave no usable answer about", async () => {
    const edges = new FakeEdges([release("1.1.0"), release("1.0.0")], {
      ...{ "1.1.0": unknown, "1.0.0": held("1.0.0"), latest: held("1.1.0") },
    });
    const plan = await planApp(request(), edges);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "hold", candidates: [] }]);
  });

  it.each([
    ["2026-01-09T00:00:01Z", "upstream has not published it yet: 404"],
    ["2026-01-08T23:59:59Z", "upstream never published it: 404"],
    ["whenever", "404"],
  ])("says of a file that is missing since the release of %s: %s (F40)", async (publishedAt, reason) => {
    const edges = new FakeEdges([{ ...release("1.1.0"), publishedAt }]);
    edges.offer = () => Promise.resolve({ state: "missing", reason: "404" });
    const [version] = (await planApp(request(), edges)).versions;
    expect(version?.notOffered).toEqual({ [amd]: reason, [arm]: reason });
    expect(version?.plan.problem).toBeUndefined();
  });

  it("never makes an incomplete version latest", async () => {
    const edges = new FakeEdges([release("1.1.0"), release("1.0.0")], {
      "1.1.0": held("1.1.0", [amd]),
      "1.0.0": held("1.0.0"),
    });
    edges.offer = (_, { platform }) =>
      Promise.resolve(platform === arm ? { state: "missing", reason: "404" } : { state: "offered" });
    const plan = await planApp(request(), edges);
    expect(plan.versions[0]?.plan).toMatchObject({ lacking: [], build: [] });
    expect(plan.versions[0]?.notOffered).toEqual({ [arm]: "404" });
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", candidates: ["1.0.0"] }]);
  });

  it("never makes a version latest whose tag was moved by others, however complete", async () => {
    const theirs = {
      ...held("1.1.0"),
      digest: digest("theirs"),
      platforms: { [amd]: digest("a"), [arm]: digest("b") },
    };
    const recorded = Object.values(managed("1.1.0").platforms).map((image) => [image, held("x")] as const);
    const edges = new FakeEdges([release("1.1.0"), release("1.0.0")], {
      ...{ "1.1.0": theirs, "1.0.0": held("1.0.0") },
      ...Object.fromEntries(recorded),
    });
    const plan = await planApp(request({ published: record({ "1.1.0": managed("1.1.0") }) }), edges);
    expect(plan.versions[0]?.plan.state).toBe("moved");
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", candidates: ["1.0.0"] }]);
  });

  it("believes an index about its manifests where only the digest is of interest, and nowhere else", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0"), latest: held("1.0.0") });
    await planApp(request(), edges);
    expect(edges.believed).toEqual([`${repository}:latest`]);
    expect(edges.probed).toContain(`${repository}:1.0.0`);
  });

  it("writes no floating tag where the stack wants none, but keeps those it wrote where they are", async () => {
    const latest = { version: "1.0.0", digest: digest("1.0.0"), source: `${repository}@${digest("1.0.0")}` };
    const edges = new FakeEdges([release("1.1.0")], { "1.1.0": held("1.1.0"), latest: held("1.0.0") });
    const published = record({}, { floatingTags: { latest } });
    const plan = await planApp(request({ published, settings: { ...settings, floatingTags: [] } }), edges);
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "hold", managed: latest, candidates: [] }]);
  });
});

describe("a floating tag that was written once and is not wanted in this run", () => {
  const wanted = (floatingTags: AppSettings["floatingTags"]) => ({ settings: { ...settings, floatingTags } });
  const incomplete = "no version it may name is complete";
  const waiting = {
    until: new Date("2026-01-11T00:00:00Z"),
    failure: { count: 1, last: "2026-01-09T00:00:00Z", reason: "no space" },
  };

  interface Row {
    readonly tag?: string;
    readonly over?: Parameters<typeof request>[0];
    readonly registry?: Readonly<Record<string, Probe>>;
    readonly upstream?: readonly string[] | Error;
    readonly run?: (edges: FakeEdges) => void;
    /** The version it is said to name. */
    readonly stays?: string;
    readonly because: string;
  }

  it.each<[string, Row]>([
    ["the stack wants none", { over: wanted([]), stays: "1.0.0", because: "no rule asks for it any more" }],
    [
      "the stack wants others",
      { over: wanted(["minor", "commit"]), stays: "1.0.0", because: "no rule asks for it any more" },
    ],
    [
      "the registry gives no answer about the versions",
      { registry: { "1.0.0": unknown }, stays: "1.0.0", because: incomplete },
    ],
    ["the registry gives no answer at all", { registry: { "1.0.0": unknown, latest: unknown }, because: incomplete }],
    [
      "upstream gives no answer",
      { upstream: new Error("503"), stays: "1.0.0", because: "the versions of the app could not be learnt" },
    ],
    [
      "builds cannot be prepared",
      { run: (edges) => (edges.unpreparable = "no base"), stays: "1.0.0", because: incomplete },
    ],
    [
      "builds wait after failures",
      {
        run: (edges) => (edges.wait = () => Promise.resolve(waiting)),
        stays: "1.0.0",
        because: incomplete,
      },
    ],
    [
      "the run is for other platforms",
      {
        run: (edges) => (edges.run = { phase: "all", covers: (platform) => platform === arm }),
        stays: "1.0.0",
        because: incomplete,
      },
    ],
    [
      "its line has left the window",
      {
        tag: "1",
        over: wanted(["major"]),
        upstream: ["2.0.0"],
        registry: { "2.0.0": held("2.0.0"), "2": held("2.0.0"), "1": held("1.0.0") },
        stays: "1.0.0",
        because: "no version it may name is kept any more",
      },
    ],
    [
      "its commit has",
      {
        tag: "sha-0123abcd",
        over: wanted(["sha"]),
        registry: { "sha-0123abcd": held("1.0.0") },
        stays: "1.0.0",
        because: "no version it may name is kept any more",
      },
    ],
    [
      "its name is that of a version now",
      {
        tag: "1.0.0",
        over: wanted(["commit"]),
        registry: { "1.0.0": held("1.0.0") },
        stays: "1.0.0",
        because: "it is the tag of version 1.0.0",
      },
    ],
    [
      "somebody has moved it",
      {
        over: wanted([]),
        registry: { latest: held("of others") },
        stays: digest("of others"),
        because: "no rule asks for it any more",
      },
    ],
    [
      "somebody has deleted it",
      {
        over: wanted([]),
        registry: { latest: { state: "absent" } },
        because: "it is gone, and not written anew: no rule asks for it any more",
      },
    ],
  ])("is left as it is, and it is said why: %s", async (_, row) => {
    const { tag = "latest", over, registry, upstream = ["1.0.0"], run, stays, because } = row;
    const releases = upstream instanceof Error ? upstream : upstream.map((name) => release(name));
    const edges = new FakeEdges(releases, { latest: held("1.0.0"), ...registry });
    run?.(edges);
    const before = { version: "1.0.0", digest: digest("1.0.0"), source: `${repository}@${digest("1.0.0")}` };
    const plan = await planApp(request({ published: record({}, { floatingTags: { [tag]: before } }), ...over }), edges);
    const { floating } = planReport(plan, new Map());
    expect(floating.filter((told) => told.tag === tag)).toEqual([
      { tag, ...(stays !== undefined && { from: stays }), note: because },
    ]);
    expect(plan.floatingTags.find((move) => move.tag === tag)).toMatchObject({ action: "hold", managed: before });
  });
});

describe("the plan of a version", () => {
  const plannedVersion = async (edges: FakeEdges, over: Parameters<typeof request>[0] = {}) => {
    const [version] = (await planApp(request(over), edges)).versions;
    if (!version) throw new Error("no version was planned");
    return version;
  };

  it("prepares nothing and asks upstream nothing when the registry does not answer", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": unknown });
    edges.offer = () => Promise.reject(new Error("not to be asked"));
    expect((await plannedVersion(edges)).plan).toMatchObject({ state: "unknown", build: [] });
    expect(edges.prepared).toEqual([]);
  });

  it("builds nothing when it cannot be told whether upstream offers the files", async () => {
    const edges = new FakeEdges([release("1.0.0")]);
    edges.offer = (_, { platform }) =>
      Promise.resolve(platform === arm ? { state: "unknown", reason: "503" } : { state: "offered" });
    expect((await plannedVersion(edges)).plan).toMatchObject({ build: [], problem: "linux/arm64: 503" });
    expect(edges.prepared).toEqual([]);
  });

  it("names the reason when it cannot be prepared, and is not built", async () => {
    const edges = new FakeEdges([release("1.0.0")]);
    edges.unpreparable = '"Dockerfile" line 1: no such base';
    expect((await plannedVersion(edges)).plan).toMatchObject({
      build: [],
      lacking: [amd, arm],
      problem: '"Dockerfile" line 1: no such base',
    });
  });

  it("says of floating tags that they stay because nobody could learn the versions, and where they are", async () => {
    const floatingTags = { latest: { version: "1.0.0", digest: digest("1.0.0"), source: "name@digest" } };
    const published = record({ "1.0.0": managed("1.0.0") }, { floatingTags });
    const registry = { "1.0.0": held("1.0.0"), latest: held("1.0.0") };
    const { floatingTags: tags } = await planApp(request({ published }), new FakeEdges(new Error("503"), registry));
    expect(tags).toMatchObject([
      { action: "hold", current: { version: "1.0.0" }, held: "the versions of the app could not be learnt" },
    ]);
  });

  it("waits after failures of earlier runs, which is no problem", async () => {
    const edges = new FakeEdges([release("1.0.0")]);
    const failure = { count: 2, last: "2026-01-09T00:00:00Z", reason: "no space" };
    const wait = { until: new Date("2026-01-11T00:00:00Z"), failure };
    edges.wait = () => Promise.resolve(wait);
    const version = await plannedVersion(edges);
    expect(version.plan.build).toEqual([]);
    expect(version.plan.problem).toBeUndefined();
    expect(version.waiting).toEqual(wait);
  });

  it("asks about recorded manifests only when the tag no longer says what was recorded", async () => {
    const published = record({ "1.0.0": managed("1.0.0") });
    const same = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0") });
    await plannedVersion(same, { published });
    expect(same.probed.filter((reference) => reference.includes("@"))).toEqual([]);
    const image = managed("1.0.0").platforms[amd] ?? "";
    const gone = new FakeEdges([release("1.0.0")], { [image]: held("x") });
    expect((await plannedVersion(gone, { published })).plan).toMatchObject({ build: [arm], keep: { [amd]: image } });
  });

  it("of a build run for some platforms builds these only", async () => {
    const edges = new FakeEdges([release("1.0.0")]);
    edges.run = { phase: "build", covers: (platform) => platform === arm };
    expect((await plannedVersion(edges)).plan.build).toEqual([arm]);
    expect(edges.prepared.map(({ platforms }) => platforms)).toEqual([[arm]]);
  });

  describe("for which build runs handed over images", () => {
    const { commit } = release("1.0.0");
    const app: AppSpecification = { ...specification, smoke: { command: ["app", "--version"], expect: () => /1/ } };
    const record = (over: Partial<BuiltRecord> = {}): BuiltRecord => ({
      ...exampleBuild("linux/amd64", { app: "app", version: "1.0.0", tag: "1.0.0" }),
      image: { repository, digest: digest("theirs") },
      upstream: { repository: "https://git.example/app.git", reference: "v1.0.0", kind: "tag", commit },
      checks: { programs: 1, smoke: { command: ["app", "--version"] } },
      ...over,
    });
    const theirs = (platform: Platform = amd): Probe => {
      return {
        state: "present",
        digest: digest("theirs"),
        platforms: { [platform]: digest("theirs") },
        lost: {},
        others: [],
      };
    };
    async function publish(handed: BuildRecord, image: Probe = theirs(), labels: object = {}): Promise<PlannedVersion> {
      const edges = new FakeEdges([release("1.0.0")], { [`@${digest("theirs")}`.slice(1)]: image });
      edges.probe = (reference) => Promise.resolve(reference.includes("@") ? image : ({ state: "absent" } as const));
      edges.run = { phase: "publish", covers: () => true };
      const said = { platform: amd, labels: { ...releaseLabels(app, release("1.0.0")), ...labels } };
      edges.said = () => Promise.resolve(said);
      const handedOver = { "1.0.0": { [amd]: { record: handed } } };
      return plannedVersion(edges, {
        specification: app,
        handedOver,
        settings: { ...settings, platformsRequired: [amd], platforms: [amd] },
      });
    }

    it("uses them instead of building", async () => {
      const version = await publish(record());
      expect(version.records).toEqual({ [amd]: { record: record() } });
      expect(version.plan).toMatchObject({ state: "missing", build: [amd] });
      expect(version.plan.problem).toBeUndefined();
      expect(version.recipes).toEqual([]);
    });

    it.each<readonly [string, Partial<BuiltRecord>, Probe, object, RegExp]>([
      [
        "is of another commit",
        { upstream: { ...record().upstream, commit: "b".repeat(40) } },
        theirs(),
        {},
        /from commit b{40}, the release is commit/,
      ],
      [
        "is of another tag",
        { upstream: { ...record().upstream, reference: "v2" } },
        theirs(),
        {},
        /from tag "v2", the release is tag "v1\.0\.0"/,
      ],
      ["is for another tag of the mirror", { tag: "latest" }, theirs(), {}, /about the tag "latest"/],
      [
        "lacks the smoke command",
        { checks: { programs: 1 } },
        theirs(),
        {},
        /was not run with the app's smoke command/,
      ],
      ["ran another command", { checks: { programs: 1, smoke: { command: ["true"] } } }, theirs(), {}, /smoke command/],
      ["names an image that is not there", {}, { state: "absent" }, {}, /no such manifest/],
      ["names an image for another platform", {}, theirs(arm), {}, /for linux\/arm64, wanted is linux\/amd64/],
      ["names an index", {}, held("1.0.0"), {}, /for linux\/amd64, linux\/arm64/],
      [
        "names the image of another app",
        {},
        theirs(),
        { "io.github.multiarch-mirror.app": "other" },
        /is another one: the label io\.github\.multiarch-mirror\.app is "other", not "app"/,
      ],
      [
        "names the image of another commit",
        {},
        theirs(),
        { "org.opencontainers.image.revision": "0" },
        /is another one: the label org\.opencontainers\.image\.revision/,
      ],
      ["cannot be looked up", {}, { state: "unknown", cause: "outage", reason: "503" }, {}, /no usable answer/],
    ])("refuses one whose record %s, and says why", async (_, over, image, labels, reason) => {
      const version = await publish(record(over), image, labels);
      expect(version.records).toEqual({});
      expect(version.plan).toMatchObject({ build: [], problem: expect.stringMatching(reason) as string });
    });

    it("refuses a copy where nothing is to be copied", async () => {
      const { upstream, dockerfile, frontend, bases, files, buildArguments, namedContexts, subdirectory, ...facts } =
        record();
      expect([upstream, dockerfile, frontend, bases, files, buildArguments, namedContexts, subdirectory]).toHaveLength(
        8,
      );
      const from = `docker.io/evil/app@${digest("theirs")}`;
      const version = await publish({ ...facts, origin: "copied", from });
      expect(version.plan.problem).toMatch(/not to be copied for this platform/);
    });

    it("are used by a run that does it all as well, which builds the rest, and anew what is gone", async () => {
      const edges = new FakeEdges([release("1.0.0")]);
      edges.said = () => Promise.resolve({ platform: amd, labels: releaseLabels(app, release("1.0.0")) });
      const handedOver = { "1.0.0": { [amd]: { record: record() } } };
      const plan = (image: Probe) => {
        edges.probe = (reference) => Promise.resolve(reference.includes("@") ? image : ({ state: "absent" } as const));
        return plannedVersion(edges, { specification: app, handedOver });
      };
      const version = await plan(theirs());
      expect(version.records).toEqual({ [amd]: { record: record() } });
      expect(version.recipes.map(({ platform }) => platform)).toEqual([arm]);
      const anew = await plan({ state: "absent" });
      expect(anew.plan.problem).toBeUndefined();
      expect(anew.recipes.map(({ platform }) => platform)).toEqual([amd, arm]);
    });

    it("misses what nobody handed over", async () => {
      const edges = new FakeEdges([release("1.0.0")]);
      edges.run = { phase: "publish", covers: () => true };
      const version = await plannedVersion(edges);
      expect(version.plan.problem).toBe(
        "no build run handed over a record that is accepted for linux/amd64, linux/arm64",
      );
    });
  });
});
