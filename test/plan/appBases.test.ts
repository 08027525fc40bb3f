import { describe, expect, it } from "vitest";
import { readConfig } from "../../components/config/readConfig";
import type { AppPlan, PlannedVersion } from "../../components/decide/appPlan";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { Platform } from "../../components/model/platform";
import { AppBases } from "../../components/plan/appBases";
import { buildTarget } from "../../components/model/release";
import { prepareBuild } from "../../components/plan/buildRecipes";
import { planApps } from "../../components/plan/planApps";
import type { PlanEdges } from "../../components/plan/planEdges";
import { appPlan, planned, toBuild, whole } from "../declare/plans";
import { amd, arm, digest, FakeEdges, held, release, settings } from "./fakeEdges";
import type { Offer } from "../../components/discover/upstreamFiles";

const source = (name: string) => ({ kind: "gitTags", url: `https://git.example/${name}.git` }) as const;
const app = (name: string, more: Partial<AppSpecification> = {}): AppSpecification => ({
  name,
  source: source(name),
  files: ({ version, architecture }) => [{ url: `https://files.example/${name}-${version}-${architecture}` }],
  ...more,
});
/** top is built on middle, middle on bottom. */
const apps = [
  app("top", { bases: [{ context: "middle", app: "middle" }] }),
  app("middle", { bases: [{ context: "bottom", app: "bottom" }] }),
  app("bottom"),
];

interface World {
  /** Plans of apps the stack mirrors. */
  readonly plans?: Readonly<Record<string, AppPlan>>;
  /** What the registry holds, by `name:tag`. */
  readonly registry?: Readonly<Record<string, Awaited<ReturnType<PlanEdges["probe"]>>>>;
  /** What is the matter with an app's own files, by `app platform`. */
  readonly offers?: Readonly<Record<string, Offer>>;
  readonly stack?: Readonly<Record<string, object>>;
}

function world({ plans = {}, registry = {}, offers = {}, stack = { top: {} } }: World = {}) {
  const asked: string[] = [];
  const config = readConfig({ registry: "r.example", namespace: "m", apps: stack }, { apps, environment: {} });
  const planOf = (name: string) => Promise.resolve(plans[name]);
  const bases = new AppBases(config, planOf, {
    probe: (reference) => {
      asked.push(`probe ${reference}`);
      return Promise.resolve(registry[reference.replace("r.example/m/", "")] ?? { state: "absent" });
    },
    discover: ({ name }, { repository }) => {
      asked.push(`discover ${name}${repository ? ` in ${JSON.stringify(repository)}` : ""}`);
      return Promise.resolve({ releases: [release("1.0.0")], rejected: [] });
    },
    offer: ({ name, files }, target) => {
      asked.push(`files ${files?.(target)[0]?.url ?? ""}`);
      return Promise.resolve(offers[`${name} ${target.platform}`] ?? { state: "offered" });
    },
  });
  const offer = (name: string, platform: Platform, version = "1.0.0") => {
    const specification = apps.find((candidate) => candidate.name === name) ?? app(name);
    return bases.offer(specification, buildTarget(release(version), platform));
  };
  return { bases, asked, offer, config };
}

const version = (over: Partial<PlannedVersion>): AppPlan => appPlan({ versions: [planned(over)] });
const missing: Offer = { state: "missing", reason: "https://files.example/x answers 404" };

describe("what upstream offers of an app that is built on another", () => {
  it("includes the files of a base that has to be built for it, and of that one's base", async () => {
    const { offer, asked } = world();
    expect(await offer("top", arm)).toEqual({ state: "offered" });
    expect(asked.filter((question) => question.startsWith("files"))).toEqual(
      ["top", "middle", "bottom"].map((name) => `files https://files.example/${name}-1.0.0-arm64`),
    );
  });

  it("is missing, not failing, where such a base lacks a file, and the reason names the base", async () => {
    const { offer } = world({ offers: { "bottom linux/arm64": missing } });
    expect(await offer("top", arm)).toEqual({
      state: "missing",
      reason: "its base middle 1.0.0: its base bottom 1.0.0: https://files.example/x answers 404",
    });
    expect(await offer("top", amd)).toEqual({ state: "offered" });
  });

  it("is missing where the base is mirrored too, but not for this platform", async () => {
    const plan = { ...toBuild, build: [amd] };
    const plans = { bottom: version({ plan, notOffered: { [arm]: "404" } }) };
    const { offer } = world({ plans, offers: { "bottom linux/arm64": missing } });
    expect(await offer("middle", arm)).toMatchObject({ state: "missing" });
    expect(await offer("middle", amd)).toEqual({ state: "offered" });
  });

  it.each<readonly [string, World]>([
    ["published by an earlier run", { registry: { "middle:1.0.0": held("1.0.0") } }],
    [
      "published, as this run's plan says",
      { plans: { middle: version({ plan: whole(digest("1"), held("1").platforms) }) } },
    ],
    ["built in this run", { plans: { middle: version({}) } }],
  ])("asks for no files of a base that is %s", async (_, found) => {
    const { offer, asked } = world({ ...found, offers: { "middle linux/arm64": missing } });
    expect(await offer("top", arm)).toEqual({ state: "offered" });
    expect(asked.filter((question) => question.startsWith("files"))).toHaveLength(1);
  });

  it.each<readonly [string, World, string, RegExp]>([
    [
      "the registry does not answer",
      { registry: { "middle:1.0.0": { state: "unknown", cause: "outage", reason: "503" } } },
      "1.0.0",
      /503/,
    ],
    [
      "a host of files does not answer",
      { offers: { "middle linux/arm64": { state: "unknown", reason: "502" } } },
      "1.0.0",
      /502/,
    ],
    [
      "the base is in trouble",
      { plans: { middle: version({ plan: { ...toBuild, problem: "moved" } }) } },
      "1.0.0",
      /moved/,
    ],
    ["there is no such version of it", {}, "1.1.0", /middle, on which it builds, has no version 1\.1\.0/],
  ])("is unknown when %s", async (_, found, name, reason) => {
    expect(await world(found).offer("top", arm, name)).toEqual({
      state: "unknown",
      reason: expect.stringMatching(reason) as string,
    });
  });

  it("asks about each base once, for all platforms and versions built on it", async () => {
    const { offer, asked } = world({ registry: { "middle:1.0.0": held("1.0.0") } });
    await Promise.all([offer("top", amd), offer("top", arm)]);
    expect(asked.filter((question) => question.startsWith("probe"))).toEqual(["probe r.example/m/middle:1.0.0"]);
  });
});

describe("the base of an app", () => {
  it("is what upstream publishes where that is copied in this run", async () => {
    const theirs = `docker.io/upstream/middle@${digest("theirs")}`;
    const { bases } = world({ plans: { middle: version({ copies: { [arm]: theirs } }) } });
    expect((await bases.find("middle", "1.0.0")).contexts).toEqual({
      [amd]: { kind: "image", app: "middle", version: "1.0.0" },
      [arm]: { kind: "reference", location: `docker-image://${theirs}` },
    });
  });

  it("comes from where the stack says, although the stack does not mirror it", async () => {
    const repository = "https://fork.example/bottom.git";
    const filesFrom = "https://copy.example/files";
    const { bases, offer, asked } = world({
      stack: { middle: {}, bottom: { enabled: false, repository, filesFrom } },
    });
    await offer("middle", arm);
    expect(asked).toContain("files https://copy.example/files/bottom-1.0.0-arm64");
    expect(asked).toContain(`discover bottom in ${JSON.stringify({ kind: "git", url: repository })}`);
    const read: string[] = [];
    const [specification, settings] = [apps[1] ?? app("middle"), (await bases.find("middle", "1.0.0")).settings];
    const { unpublishedBases } = await prepareBuild(
      { specification, settings, release: release("1.0.0"), platforms: [arm] },
      {
        appBases: bases,
        readSource: ({ url }) => {
          read.push(url);
          const text = url === repository ? "FROM scratch\n" : "FROM bottom\n";
          const files = new Map([["Dockerfile", text]]);
          return Promise.resolve({ files, committedAt: "2026-01-01T00:00:00Z" });
        },
        checksums: () => Promise.resolve({}),
        bases: () => ({
          lookUp: () => Promise.resolve(undefined),
          image: () => Promise.reject(new Error("not asked")),
          refusal: () => Promise.resolve(undefined),
        }),
      },
    );
    expect(read).toEqual(["https://git.example/middle.git", repository]);
    expect(unpublishedBases.map((base) => [base.app, base.recipes[0]?.context.split("?")[0]])).toEqual([
      ["bottom", repository],
    ]);
  });
});

describe("what the builder will not find as upstream has it", () => {
  it.each([
    ["nothing", {}, []],
    [
      "pointers of Git LFS",
      { ".gitattributes": "# x filter=lfs\n*.bin filter=lfs diff=lfs -text\n*.c text\n" },
      [/"\*\.bin" in Git LFS/],
    ],
    [
      "submodules",
      { ".gitmodules": '[submodule "a"]\n\tpath = deps/a\n\turl = ../a.git\n' },
      [/submodules in "deps\/a"/],
    ],
  ])("is said before the build: %s", async (_case, source, said) => {
    const { warnings } = await prepareBuild(
      { specification: app("app"), settings, release: release("1.0.0"), platforms: [arm] },
      {
        appBases: world().bases,
        readSource: () => {
          const files = new Map(Object.entries({ Dockerfile: "FROM scratch", ...source }));
          return Promise.resolve({ files, committedAt: "2026-01-01T00:00:00Z" });
        },
        checksums: () => Promise.resolve({}),
        bases: () => ({
          lookUp: () => Promise.reject(new Error("not asked")),
          image: () => Promise.reject(new Error("not asked")),
          refusal: () => Promise.reject(new Error("not asked")),
        }),
      },
    );
    expect(warnings).toHaveLength(said.length);
    for (const [position, words] of said.entries()) expect(warnings[position]).toMatch(words);
  });
});

describe("the order of apps", () => {
  it("has bases first, also where one in between is not mirrored", async () => {
    const { config } = world({ stack: { top: {}, bottom: {} } });
    const surveys = planApps({ ...config, run: {} }, {}, () => new FakeEdges([]), {});
    const plans = await Promise.all(surveys.map(({ plan }) => plan));
    expect(plans.map(({ specification }) => specification.name)).toEqual(["bottom", "top"]);
  });

  it("names for each app those it has to wait for, by way of others too", () => {
    const { config } = world({ stack: { top: {}, bottom: {} } });
    const surveys = planApps({ ...config, run: {} }, {}, () => new FakeEdges([]), {});
    expect(surveys.map(({ app, bases }) => [app, bases])).toEqual([
      ["bottom", []],
      ["top", ["bottom"]],
    ]);
  });
});

describe("an app whose upstream never ends its answer", () => {
  const never: PlanEdges["discover"] = () => new Promise(() => undefined);
  const known = {
    repository: "r.example/m/other",
    versions: { "1.0.0": { tag: "1.0.0", digest: digest("1"), platforms: {}, origin: "built" } },
    floatingTags: {},
  } as const;
  const planned = (stuck: string, limitMs: number) => {
    const config = readConfig(
      { registry: "r.example", namespace: "m", apps: { other: {}, bottom: {} } },
      { apps: [...apps, app("other")], environment: {} },
    );
    const edges = new FakeEdges([release("1.0.0")]);
    const discover = edges.discover;
    edges.discover = (specification, settings) =>
      specification.name === stuck ? never(specification, settings) : discover(specification, settings);
    const surveys = planApps({ ...config, run: {} }, { other: known }, () => edges, {}, limitMs);
    return (name: string) => surveys.find((survey) => survey.app === name)?.plan;
  };

  it("keeps no other app waiting", async () => {
    const plan = planned("other", 60_000);
    expect((await plan("bottom"))?.versions).toHaveLength(1);
  });

  it("is left as the last run left it after its time, and that is its problem", async () => {
    const plan = await planned("other", 50)("other");
    expect(plan?.problems).toEqual([expect.stringMatching(/took longer than .* the most it may take/)]);
    expect(plan?.versions.map(({ version: name, plan: { build } }) => [name, build])).toEqual([["1.0.0", []]]);
  });
});
