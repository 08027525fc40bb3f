import { describe, expect, it } from "vitest";
import type { AppPlan } from "../../components/decide/appPlan";
import type { Digest } from "../../components/model/digest";
import type { Probe } from "../../components/model/probe";
import type { PublishedVersion } from "../../components/model/published";
import type { StackState } from "../../components/probe/stackState";
import { alignWithState } from "../../components/plan/alignWithState";
import { untouched } from "../../components/declare/versionOutcome";
import { planApp } from "../../components/plan/planApp";
import { exampleBuild } from "../attest/fixtures";
import { amd, arm, digest, FakeEdges, held, managed, release, repository, request } from "./fakeEdges";
import { imageExport } from "../../components/decide/spellings";

interface Situation {
  readonly releases?: readonly string[];
  readonly registry: Readonly<Record<string, Probe>>;
  readonly published: Readonly<Record<string, PublishedVersion>>;
  readonly images?: Readonly<Record<string, Digest>>;
  readonly indexes?: Readonly<Record<string, readonly string[]>>;
  /** The repository those were written to. */
  readonly writtenTo?: string;
  /** Manifests the registry has, or an error when it gives no usable answer. */
  readonly exists?: readonly string[] | Error;
}

/** Plans the app and aligns its plan. */
async function planOf(situation: Situation): Promise<{ readonly plan: AppPlan; readonly reads: number }> {
  const { releases = ["1.0.0"], registry, published, images = {}, indexes = {}, exists = [] } = situation;
  const { writtenTo = repository } = situation;
  const edges = new FakeEdges(
    releases.map((version) => release(version)),
    { latest: held(releases[0] ?? ""), ...registry },
  );
  const record = { repository, versions: published, floatingTags: {} };
  const planned = await planApp(request({ published: record }), edges);
  let reads = 0;
  const state = (): Promise<StackState> => {
    reads++;
    const known = Object.entries(images).map(
      ([name, value]) => [name, { digest: value, exported: imageExport() }] as const,
    );
    const written = Object.entries(indexes).map(
      ([name, sources]) => [name, { tag: `${writtenTo}:${name.slice("app-".length)}`, sources }] as const,
    );
    return Promise.resolve({ images: new Map(known), indexes: new Map(written), commands: new Map() });
  };
  const answer = (reference: string): Promise<boolean> =>
    exists instanceof Error ? Promise.reject(exists) : Promise.resolve(exists.includes(reference));
  const plan = await alignWithState(planned, { state, exists: answer });
  if (!plan) throw new Error("no plan");
  return { plan, reads };
}

const both = { "app-1.0.0-linux-amd64": digest(`1.0.0 ${amd}`), "app-1.0.0-linux-arm64": digest(`1.0.0 ${arm}`) };
const exportsOf = ({ versions }: AppPlan) => versions[0]?.recipes.map(({ platform, exported }) => [platform, exported]);

describe("what the state says exists", () => {
  it("is not even read when nothing is to be done", async () => {
    const registry = { "1.0.0": held("1.0.0") };
    expect((await planOf({ registry, published: { "1.0.0": managed("1.0.0") } })).reads).toBe(0);
  });

  it("keeps what a run made that was killed before it could record it, and the next run records it", async () => {
    const registry = { "1.0.0": held("1.0.0"), latest: held("1.0.0") };
    const images = {
      ...both,
      "app-1.0.0-linux-arm64": digest("of another run"),
      "other-1.0.0-linux-amd64": digest("x"),
    };
    const written = [`${repository}@${both["app-1.0.0-linux-amd64"]}`, `${repository}@${digest("of another run")}`];
    const source = `${repository}@${digest("1.0.0")}`;
    const indexes = { "app-1.0.0": written, "app-latest": [source] };
    const { plan, reads } = await planOf({ registry, published: {}, images, indexes });
    expect(reads).toBe(1);
    const [version] = plan.versions;
    const keep = { [amd]: both["app-1.0.0-linux-amd64"] };
    const sources = written.map((reference) => ({ kind: "recorded", reference }));
    expect(version?.plan).toMatchObject({ state: "published", build: [], keep, sources });
    expect(version && untouched(version)).toMatchObject({
      state: "published",
      record: { images: keep, sources: written },
    });
    const latest = { version: "1.0.0", digest: digest("1.0.0"), source };
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "unchanged", managed: latest }]);

    // It was killed between its images and its index, which somebody else wrote: nothing declares an index here.
    const early = await planOf({ registry, published: {}, images });
    expect(early.plan.versions[0]?.plan).not.toHaveProperty("sources");
    const record = early.plan.versions[0] && untouched(early.plan.versions[0]);
    expect(record).toMatchObject({ record: { images: keep, origin: "adopted" } });
    expect(record).not.toHaveProperty("record.sources");
    const { tag, digest: named, platforms, origin } = managed("1.0.0");
    const published = { "1.0.0": { tag, digest: named, platforms, origin, images: keep } };
    const next = await planOf({ registry, published, images });
    expect(next.reads).toBe(0);
    expect(next.plan.versions[0]?.plan).toMatchObject({ state: "published", keep });
    expect(next.plan.versions[0]?.plan).not.toHaveProperty("sources");
  });

  it("declares no index or floating tag that was written to another repository: this one's would be written over", async () => {
    const registry = { "1.0.0": held("1.0.0"), latest: held("1.0.0") };
    const indexes = { "app-1.0.0": ["elsewhere.example/app@x"], "app-latest": ["elsewhere.example/app@y"] };
    const writtenTo = "elsewhere.example/app";
    const { plan, reads } = await planOf({ registry, published: {}, indexes, writtenTo });
    expect(reads).toBe(1);
    expect(plan.versions[0]?.plan).toMatchObject({ state: "published" });
    expect(plan.versions[0]?.plan).not.toHaveProperty("sources");
    expect(plan.floatingTags).toMatchObject([{ tag: "latest", action: "unchanged" }]);
    expect(plan.floatingTags[0]).not.toHaveProperty("managed");
  });

  it("adds nothing to what is adopted by a stack without state", async () => {
    const { plan } = await planOf({ registry: { "1.0.0": held("1.0.0"), latest: held("1.0.0") }, published: {} });
    expect(plan.versions[0]?.plan).toMatchObject({ state: "published", keep: {} });
    expect(plan.versions[0]?.plan).not.toHaveProperty("sources");
    expect(plan.floatingTags[0]).not.toHaveProperty("managed");
    const record = plan.versions[0] && untouched(plan.versions[0]);
    expect(record).not.toHaveProperty("record.images");
  });

  it("makes an image be built again that the registry has lost, and leaves one alone that is still there", async () => {
    const exists = [`${repository}@${both["app-1.0.0-linux-amd64"]}`];
    const { plan, reads } = await planOf({ registry: {}, published: {}, images: both, exists });
    expect(reads).toBe(1);
    expect(exportsOf(plan)).toEqual([
      [amd, imageExport()],
      [arm, imageExport(imageExport(), true)],
    ]);
  });

  it("keeps the resource of an image whose record of an earlier run stands for its build", async () => {
    const { plan } = await planOf({ registry: {}, published: {} });
    const build = exampleBuild("linux/amd64", { image: { repository, digest: both["app-1.0.0-linux-amd64"] } });
    const versions = plan.versions.map((version) => ({ ...version, records: { [amd]: { record: build } } }));
    const images = new Map([["app-1.0.0-linux-amd64", { digest: build.image.digest }]]);
    const state = () =>
      Promise.resolve({
        images,
        indexes: new Map<string, { tag: string; sources: readonly string[] }>(),
        commands: new Map<string, undefined>(),
      });
    const aligned = await alignWithState({ ...plan, versions }, { state, exists: () => Promise.resolve(true) });
    expect(aligned.versions[0]?.plan.keep).toEqual({ [amd]: build.image.digest });
  });

  it("makes nothing be built again on an unclear answer, or where the state knows nothing", async () => {
    const unclear = await planOf({ registry: {}, published: {}, images: both, exists: new Error("503") });
    expect(exportsOf(unclear.plan)).toEqual([amd, arm].map((platform) => [platform, imageExport()]));
    const fresh = await planOf({ registry: {}, published: {} });
    expect(exportsOf(fresh.plan)).toEqual([amd, arm].map((platform) => [platform, undefined]));
  });

  it("tells indexes and floating tags to be written what they were written from", async () => {
    const indexes = { "app-1.0.0": ["a@b"], "app-latest": ["c@d"] };
    const { plan } = await planOf({ registry: { latest: { state: "absent" } }, published: {}, indexes });
    expect(plan.versions[0]?.written).toEqual(["a@b"]);
    expect(plan.floatingTags[0]?.written).toEqual(["c@d"]);
  });

  it("keeps the resources of a version that somebody removed after it had left the window", async () => {
    const situation = { releases: ["2.0.0", "1.1.0"], registry: { "2.0.0": held("2.0.0"), "1.1.0": held("1.1.0") } };
    const published = { "1.0.0": managed("1.0.0") };
    const indexes = { "app-1.0.0": managed("1.0.0").sources ?? [] };
    const { plan } = await planOf({ ...situation, published, images: both, indexes });
    expect(plan.versions.at(-1)?.plan).toMatchObject({
      state: "gone",
      build: [],
      keep: { [amd]: both["app-1.0.0-linux-amd64"], [arm]: both["app-1.0.0-linux-arm64"] },
      sources: managed("1.0.0").sources?.map((reference) => ({ kind: "recorded", reference })),
    });
    // Somebody refreshed the state by hand: there is nothing to keep.
    const refreshed = await planOf({ ...situation, published });
    expect(refreshed.plan.versions.at(-1)?.plan.sources).toBeUndefined();
    expect(refreshed.plan.versions.at(-1)?.plan.keep).toEqual({});
  });

  it("keeps the resource of an image the registry has lost and nobody wants any more", async () => {
    const lost = `linux/ppc64le` as const;
    const record = managed("1.0.0");
    const images = { ...record.images, [lost]: digest("lost") };
    const published = { "1.0.0": { ...record, images } };
    const state = { ...both, "app-1.0.0-linux-ppc64le": digest("lost") };
    const registry = { "1.0.0": held("1.0.0") };
    const { plan } = await planOf({ registry, published, images: state });
    expect(plan.versions[0]?.plan).toMatchObject({ state: "published", build: [], keep: images });
    const refreshed = await planOf({ registry, published, images: both });
    expect(refreshed.plan.versions[0]?.plan.keep).toEqual(record.images);
  });
});
