import { describe, expect, it } from "vitest";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { Platform } from "../../components/model/platform";
import type { PresentProbe, Probe } from "../../components/model/probe";
import type { CopiedManifests } from "../../components/probe/missingReferrers";
import { type AppRequest, planApp } from "../../components/plan/planApp";
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

const upstream = "docker.io/upstream/app";
const riscv: Platform = "linux/riscv64";
const unknown = { state: "unknown", cause: "outage", reason: "503" } as const;

const onlyAmd = { ...settings, platforms: [amd], platformsRequired: [amd] };

type Mode = NonNullable<NonNullable<AppSpecification["official"]>["whenUpstreamHasPlatform"]>;

/** Upstream's image of version 1.0.0. */
const theirs = (platforms: readonly Platform[] = [amd, arm], over: Partial<PresentProbe> = {}): PresentProbe => ({
  state: "present",
  digest: digest("their index"),
  platforms: Object.fromEntries(platforms.map((platform) => [platform, digest(`theirs ${platform}`)])),
  lost: {},
  others: [],
  ...over,
});

interface World {
  readonly mode?: Mode;
  readonly official?: Probe;
  /** What our own tag holds. */
  readonly ours?: Probe;
  readonly request?: Partial<AppRequest>;
  /** What is missing beside copies; an error when it cannot be told. */
  readonly lacking?: readonly string[] | Error;
  readonly phase?: "all" | "build" | "publish";
  readonly offer?: FakeEdges["offer"];
}

async function plannedApp({ mode = "copy", official = theirs(), ours, lacking = [], phase = "all", ...more }: World) {
  const edges = new FakeEdges([release("1.0.0")], { [`${upstream}:1.0.0`]: official, ...(ours && { "1.0.0": ours }) });
  const asked: CopiedManifests[] = [];
  edges.missingReferrers = (copies) => {
    asked.push(copies);
    return lacking instanceof Error ? Promise.reject(lacking) : Promise.resolve(lacking);
  };
  edges.run = { phase, covers: () => true };
  const reference = ({ version }: { readonly version: string }) => `${upstream}:${version}`;
  const app = { ...specification, official: { reference, whenUpstreamHasPlatform: mode } };
  edges.offer = more.offer ?? edges.offer;
  return { plan: await planApp(request({ specification: app, ...more.request }), edges), asked, edges };
}

async function plannedVersion(world: World) {
  const { plan, ...others } = await plannedApp(world);
  const [version] = plan.versions;
  if (!version) throw new Error("no version was planned");
  return { version, ...others };
}

describe("a platform upstream publishes itself", () => {
  it.each<readonly [Mode, readonly Platform[], readonly Platform[], object]>([
    ["build", [amd, arm], [amd, arm], {}],
    ["copy", [amd, arm], [arm], { [amd]: `${upstream}@${digest(`theirs ${amd}`)}` }],
    ["skip", [arm], [arm], {}],
  ])("is noted, and with %j the version gets %j, of which %j are built", async (mode, all, built, copies) => {
    const { version, edges } = await plannedVersion({ mode, official: theirs([amd]) });
    expect(version.official).toEqual([amd]);
    expect(version.plan.build).toEqual(all);
    expect(edges.prepared.flatMap(({ platforms }) => platforms)).toEqual(built);
    expect(version.copies).toEqual(copies);
    expect(version.copiedIndex).toBeUndefined();
  });

  it.each<readonly [Mode, object]>([
    ["build", { build: [amd, arm] }],
    [
      "copy",
      { build: [], problem: expect.stringMatching(/upstream's own image .* gave no usable answer: 503/) as string },
    ],
    ["skip", { build: [], problem: expect.stringMatching(/gave no usable answer: 503/) as string }],
  ])("cannot be told when its registry does not answer: with %j that matters or does not", async (mode, plan) => {
    expect((await plannedVersion({ mode, official: unknown })).version.plan).toMatchObject(plan);
  });

  it("needs no file of upstream's to be copied, or to be left to it", async () => {
    const offer = (_: unknown, { platform }: { readonly platform: Platform }) =>
      Promise.resolve(
        platform === amd ? ({ state: "missing", reason: "404" } as const) : ({ state: "offered" } as const),
      );
    for (const [mode, build] of [
      ["copy", [amd, arm]],
      ["skip", [arm]],
      ["build", [arm]],
    ] as const) {
      const { version } = await plannedVersion({ mode, official: theirs([amd]), offer });
      expect(version.plan.build).toEqual(mode === "build" ? [] : build);
      expect(version.notOffered).toEqual(mode === "build" ? { [amd]: "404" } : {});
    }
  });

  it("leaves nothing to do for a version all of whose platforms are left to upstream, which a note says", async () => {
    const { plan, edges } = await plannedApp({ mode: "skip" });
    expect(plan.versions).toEqual([]);
    expect(plan.notes).toEqual([`1.0.0 is left to upstream, which publishes ${amd}, ${arm} itself`]);
    expect(plan.problems).toEqual([]);
    expect(edges.prepared).toEqual([]);
    expect((await plannedApp({ mode: "skip", ours: held("1.0.0", [amd]) })).plan.versions).toHaveLength(1);
    expect((await plannedApp({ mode: "skip", ours: unknown })).plan.versions).toHaveLength(1);
  });

  it("is asked for by no floating tag where it is left to upstream", async () => {
    const { plan } = await plannedApp({ mode: "skip", official: theirs([amd]), ours: held("1.0.0", [arm]) });
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "create", candidates: ["1.0.0"] }]);
  });

  it("is built where upstream has no image of the version", async () => {
    const { version } = await plannedVersion({ official: { state: "absent" } });
    expect(version).toMatchObject({ official: [], copies: {}, plan: { build: [amd, arm] } });
  });
});

describe("upstream's index", () => {
  it("is copied whole when it is just what is wanted", async () => {
    const { version } = await plannedVersion({});
    expect(version.copiedIndex).toBe(`${upstream}@${digest("their index")}`);
    expect(version.recipes).toEqual([]);
  });

  it.each<readonly [string, World]>([
    ["lacks a platform", { official: theirs([amd]) }],
    ["has one more", { official: theirs([amd, arm, riscv]) }],
    ["lists an attestation that is gone", { official: theirs([amd, arm], { gone: [digest("gone")] }) }],
    ["lists a manifest that is gone", { official: theirs([amd, arm], { lost: { [riscv]: digest("gone") } }) }],
    ["is no index", { official: theirs([amd], { digest: digest(`theirs ${amd}`) }), request: { settings: onlyAmd } }],
    ["only completes what is published", { official: theirs([arm]), ours: held("1.0.0", [amd]) }],
    ["is not to be copied", { mode: "build" }],
  ])("is not copied whole when it %s", async (_, world) => {
    expect((await plannedVersion(world)).version.copiedIndex).toBeUndefined();
  });
});

describe("what upstream attached to what is copied", () => {
  const copied: Probe = { ...theirs(), digest: digest("our index") };

  it("is copied with it, and shown before", async () => {
    const { version, asked } = await plannedVersion({ lacking: ['"signature" of 123'] });
    const digests = [digest("their index"), digest(`theirs ${amd}`), digest(`theirs ${arm}`)];
    expect(asked).toEqual([{ from: upstream, to: repository, digests }]);
    expect(version.referrers).toEqual({
      mode: "fresh",
      gaps: ['not copied: "signature" of 123'],
      from: upstream,
      digests,
      declared: false,
    });
  });

  it("is nothing to declare when there is nothing", async () => {
    expect((await plannedVersion({})).version.referrers).toBeUndefined();
  });

  it("is looked for beside platforms that are copied, and not beside those that are built", async () => {
    const { asked } = await plannedVersion({ official: theirs([amd]) });
    expect(asked.map(({ digests }) => digests)).toEqual([[digest(`theirs ${amd}`)]]);
  });

  it("is restored when it is missing later, without any record: equal digests tell what was copied", async () => {
    const { version } = await plannedVersion({ ours: copied, lacking: ["sbom"] });
    expect(version.plan).toMatchObject({ state: "published", build: [] });
    expect(version.referrers).toMatchObject({ mode: "repair", gaps: ["not copied: sbom"] });
    expect(version.referrers?.digests).toEqual([amd, arm].map((platform) => digest(`theirs ${platform}`)));
  });

  it("is not looked for beside images of our own", async () => {
    const { version, asked } = await plannedVersion({ ours: held("1.0.0"), lacking: ["sbom"] });
    expect(asked).toEqual([]);
    expect(version.referrers).toBeUndefined();
  });

  it("is left to the run that publishes", async () => {
    const { version, asked } = await plannedVersion({ phase: "build", lacking: ["sbom"] });
    expect(asked).toEqual([]);
    expect(version.referrers).toBeUndefined();
  });

  const record = { ...managed("1.0.0"), digest: digest("our index"), platforms: theirs().platforms, referrers: true };
  const published = { repository, versions: { "1.0.0": record }, floatingTags: {} };

  it.each<readonly [string, World]>([
    ["nothing is missing", {}],
    ["the app has ceased to copy", { mode: "build", lacking: ["sbom"] }],
    ["upstream has removed its image", { official: { state: "absent" } }],
    ["the run only builds", { phase: "build", lacking: ["sbom"] }],
  ])("stays declared as it was once it was, when %s", async (_, world) => {
    const { version } = await plannedVersion({ ours: copied, request: { published }, ...world });
    expect(version.referrers).toEqual({ mode: "keep", gaps: [], digests: [], declared: true });
  });

  it("is a problem of the version when it cannot be told, unless it is to be written anyway", async () => {
    const lacking = new Error("429");
    const before = await plannedVersion({ ours: copied, lacking });
    expect(before.version.referrers).toMatchObject({ mode: "none", problem: expect.stringMatching(/429/) as string });
    expect((await plannedVersion({ ours: copied, official: unknown })).version.referrers).toMatchObject({
      problem: expect.stringMatching(/503/) as string,
    });
    const fresh = await plannedVersion({ lacking });
    expect(fresh.version.referrers).toMatchObject({ mode: "fresh", gaps: [] });
    expect(fresh.version.referrers?.problem).toBeUndefined();
  });
});
