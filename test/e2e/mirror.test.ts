import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExportedResource, MirrorUnderTest } from "./support/mirrorUnderTest";
import { changesOf, errorsOf } from "./support/pulumiRun";
import type { SeenIndex } from "./support/registryView";
import { tinyAppFile, tinyUpstream } from "./support/tinyUpstream";

const both = ["linux/amd64", "linux/arm64"];
const window = ["1.2.0", "1.1.0", "1.0.1"];

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [
        { version: "1.1.0" },
        { version: "0.9.0" },
        { version: "1.2.0", tags: [{ name: "v1.2.0", message: "The highest stable one" }, "v1.3.0-rc.1", "nightly"] },
        { version: "1.0.0", tags: ["v1.0.0", "v1.0"] },
        { version: "1.0.1", tags: ["1.0.1", "release-0.9.0"] },
      ]);
      await tinyUpstream(sandbox, "other", [{ version: "7.0.0" }]);
      return { tiny: tinyAppFile(sandbox, "tiny"), other: tinyAppFile(sandbox, "other") };
    },
  });
});

afterAll(() => mirror?.stop());

describe("an empty registry", () => {
  it("is filled according to a preview, which needs no builder and writes nothing", async () => {
    await mirror.sandbox.stopBuilder("mirror");
    mirror.mark();
    const preview = await mirror.preview();
    await mirror.sandbox.startBuilder("mirror");
    expect(errorsOf(preview)).toBe("");
    expect(preview.exitCode).toBe(0);
    expect(changesOf(preview)).toEqual(
      [
        ...window.flatMap((version) => [
          `create tiny-${version}`,
          ...["amd64", "arm64"].map((architecture) => `create tiny-${version}-linux-${architecture}`),
        ]),
        "create tiny-latest",
        ...["other-7.0.0", "other-7.0.0-linux-amd64", "other-7.0.0-linux-arm64", "other-latest"].map(
          (name) => `create ${name}`,
        ),
      ].toSorted(),
    );
    expect(preview.output).toMatch(/1\.2\.0 +missing +will build +will build/);
    expect(mirror.writes()).toEqual([]);
  });

  it("then holds the last three stable versions for exactly the platforms wanted, and latest is the highest", async () => {
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(up.exitCode).toBe(0);
    expect(up.outputs).toMatchObject({ missing: [], problems: [] });
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.1", "1.1.0", "1.2.0", "latest"]);
    expect(await mirror.registry.tags("other")).toEqual(["7.0.0", "latest"]);
    for (const version of window) {
      const index = await mirror.registry.index("tiny", version);
      expect(index.mediaType).toBe("application/vnd.oci.image.index.v1+json");
      expect(Object.keys(index.platforms).toSorted()).toEqual(both);
      expect(up.outputs.published?.tiny?.versions[version]).toMatchObject({ ...seen(index), origin: "built" });
      await mirror.registry.pull("tiny", version);
    }
    const highest = await mirror.registry.digest("tiny", "1.2.0");
    expect(await mirror.registry.digest("tiny", "latest")).toBe(highest);
    for (const platform of both) {
      const name = mirror.registry.name("tiny", "1.2.0");
      const config = JSON.parse(await mirror.registry.regctl("image", "inspect", "--platform", platform, name)) as {
        architecture: string;
      };
      expect(`linux/${config.architecture}`).toBe(platform);
    }
  });

  it("is kept by a state in which no resource can delete anything", async () => {
    const resources = (await mirror.exportState()).resources.filter(({ type }) => !type.startsWith("pulumi:pulumi:"));
    const ours = resources.filter(({ urn }) => !isDefaultProvider(urn));
    const published = resources.filter(({ type }) => type.startsWith("docker-build:"));
    expect(published.map(nameOf).toSorted()).toHaveLength(14);
    // The provider and the components too: what one of them is deleted with is deleted for real.
    expect(ours.length).toBeGreaterThan(published.length);
    expect(ours.filter(({ retainOnDelete }) => retainOnDelete !== true).map(nameOf)).toEqual([]);
  });

  it("has all it published under one provider, which a newer library does not replace", async () => {
    const { resources } = await mirror.exportState();
    const published = resources.filter(({ type }) => type.startsWith("docker-build:"));
    const providers = resources.filter(({ type }) => type === "pulumi:providers:docker-build");
    expect(providers.map(nameOf)).toEqual(["docker-build"]);
    expect(providers[0]?.ignoreChanges).toEqual(["version"]);
    expect([...new Set(published.map(({ provider }) => provider))]).toEqual([
      `${providers[0]?.urn}::${providers[0]?.id}`,
    ]);
  });
});

describe("a complete registry", () => {
  let before: Holdings;

  beforeAll(async () => {
    before = await holdings("tiny", window);
  });

  it("is left alone by preview and up, and needs no builder for either", async () => {
    await mirror.sandbox.stopBuilder("mirror");
    mirror.mark();
    const runs = [await mirror.preview(), await mirror.up()];
    await mirror.sandbox.startBuilder("mirror");
    for (const run of runs) {
      expect(run.exitCode).toBe(0);
      expect(changesOf(run)).toEqual([]);
    }
    expect(mirror.writes()).toEqual([]);
  });

  it("is not built again when a label, the recipe or the cache setting is edited", async () => {
    const edited = tinyAppFile(
      mirror.sandbox,
      "tiny",
      `
  labels: { "org.example.edited": "yes" },
  buildArguments: () => ({ EDITED: "yes" }),`,
    );
    mirror.setApps({ tiny: edited, other: tinyAppFile(mirror.sandbox, "other") });
    mirror.configure({ cache: "registry" });
    mirror.mark();
    const up = await mirror.up();
    expect(up.exitCode).toBe(0);
    expect(changesOf(up)).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    expect(await holdings("tiny", window)).toEqual(before);
    const images = (await mirror.exportState()).resources.filter(({ type }) => type === "docker-build:index:Image");
    expect(images.filter(({ ignoreChanges }) => ignoreChanges?.join() !== "*").map(nameOf)).toEqual([]);
    mirror.setApps({ tiny: tinyAppFile(mirror.sandbox, "tiny"), other: tinyAppFile(mirror.sandbox, "other") });
    mirror.configure({ cache: undefined });
  });

  it("gets back just the platform that somebody deleted", async () => {
    // As on another machine: with the builder's cache the very same image would come out.
    await mirror.pruneBuilder();
    const lost = before["1.1.0"]?.platforms["linux/arm64"] ?? "";
    await mirror.registry.deleteManifest("tiny", lost);
    const preview = await mirror.preview();
    expect(changesOf(preview)).toEqual(["update tiny-1.1.0", "update tiny-1.1.0-linux-arm64"]);
    mirror.mark();
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(up.exitCode).toBe(0);
    expect(changesOf(up)).toEqual(["update tiny-1.1.0", "update tiny-1.1.0-linux-arm64"]);
    const after = await holdings("tiny", window);
    expect(after["1.1.0"]?.platforms["linux/amd64"]).toBe(before["1.1.0"]?.platforms["linux/amd64"]);
    expect(Object.keys(after["1.1.0"]?.platforms ?? {}).toSorted()).toEqual(both);
    expect({ ...after, "1.1.0": undefined }).toEqual({ ...before, "1.1.0": undefined });
    expect(after["1.1.0"]?.platforms["linux/arm64"]).not.toBe(lost);
    await mirror.registry.pull("tiny", "1.1.0");
    expect(changesOf(await mirror.up())).toEqual([]);
    before = after;
  });

  it("gets back a tag that somebody removed, without a build and with the same digest", async () => {
    await mirror.registry.deleteTag("tiny", "1.0.1");
    expect(changesOf(await mirror.preview())).toEqual(["update tiny-1.0.1"]);
    mirror.mark();
    const up = await mirror.up();
    expect(up.exitCode).toBe(0);
    expect(changesOf(up)).toEqual(["update tiny-1.0.1"]);
    expect(mirror.writes().filter((write) => !write.endsWith("/manifests/1.0.1"))).toEqual([]);
    expect(await holdings("tiny", window)).toEqual(before);
    expect(changesOf(await mirror.up())).toEqual([]);
  });

  it("is given a platform that is wanted newly, and nothing else is built", async () => {
    mirror.configure({ platforms: [...both, "linux/ppc64le"] });
    const added = (version: string): string[] => [`create tiny-${version}-linux-ppc64le`, `update tiny-${version}`];
    const changes = [
      ...[...window.flatMap(added), "update tiny-latest"],
      ...["create other-7.0.0-linux-ppc64le", "update other-7.0.0", "update other-latest"],
    ].toSorted();
    expect(changesOf(await mirror.preview())).toEqual(changes);
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(changesOf(up)).toEqual(changes);
    const after = await holdings("tiny", window);
    for (const version of window) {
      expect(after[version]?.platforms).toMatchObject(before[version]?.platforms ?? {});
      expect(Object.keys(after[version]?.platforms ?? {}).toSorted()).toEqual([...both, "linux/ppc64le"]);
    }
    expect(await mirror.registry.digest("tiny", "latest")).toBe(after["1.2.0"]?.digest);
    mirror.mark();
    expect(changesOf(await mirror.up())).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    before = after;
  });

  it("does without an old version that somebody removed, and shows no delete", async () => {
    await mirror.registry.deleteTag("tiny", "1.0.1");
    mirror.configure({ keep: 2 });
    mirror.mark();
    const preview = await mirror.preview();
    const up = await mirror.up();
    expect([...changesOf(preview), ...changesOf(up), ...mirror.writes()]).toEqual([]);
    expect([preview.exitCode, up.exitCode]).toEqual([0, 0]);
    expect(up.outputs.published?.["tiny"]?.versions["1.0.1"]).toMatchObject({ absent: true });
    mirror.configure({ keep: 3 });
    const wanted = await mirror.up();
    expect(changesOf(wanted)).toEqual(["update tiny-1.0.1"]);
    expect(await holdings("tiny", window)).toEqual(before);
    expect(wanted.outputs.published?.["tiny"]?.versions["1.0.1"]).not.toHaveProperty("absent");
  });

  it("loses nothing when fewer versions are kept, an app is removed, or the stack is destroyed", async () => {
    mirror.mark();
    mirror.configure({ keep: 1 });
    expect(changesOf(await mirror.up())).toEqual([]);
    mirror.configure({ keep: 3, apps: ["tiny"] });
    expect((await mirror.up()).exitCode).toBe(0);
    expect((await mirror.destroy()).exitCode).toBe(0);
    expect((await mirror.exportState()).resources).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    expect(await holdings("tiny", window)).toEqual(before);
    for (const version of window) await mirror.registry.pull("tiny", version);
    await mirror.registry.pull("other", "7.0.0");
    await mirror.registry.pull("other", "latest");
    mirror.configure({ apps: undefined });
  });

  it("is adopted as it is by a stack whose state is gone", async () => {
    await mirror.loseState();
    mirror.mark();
    const up = await mirror.up();
    expect(up.exitCode).toBe(0);
    expect(changesOf(up)).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    const versions = up.outputs.published?.tiny?.versions ?? {};
    expect(Object.keys(versions).toSorted()).toEqual(window.toSorted());
    for (const [version, record] of Object.entries(versions))
      expect(record).toMatchObject({ ...seen(before[version] as SeenIndex), origin: "adopted" });
    expect(await holdings("tiny", window)).toEqual(before);
  });

  it("is completed by such a stack with just the platform that is missing, and latest follows", async () => {
    await mirror.registry.deleteManifest("tiny", before["1.2.0"]?.platforms["linux/amd64"] ?? "");
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(changesOf(up)).toEqual(["create tiny-1.2.0", "create tiny-1.2.0-linux-amd64", "create tiny-latest"]);
    const { "1.2.0": after, ...others } = await holdings("tiny", window);
    const { "1.2.0": earlier, ...same } = before;
    expect(others).toEqual(same);
    expect(Object.keys(after?.platforms ?? {}).toSorted()).toEqual([...both, "linux/ppc64le"]);
    expect(after?.platforms["linux/arm64"]).toBe(earlier?.platforms["linux/arm64"]);
    expect(await mirror.registry.digest("tiny", "latest")).toBe(after?.digest);
    await mirror.registry.pull("tiny", "1.2.0");
    mirror.mark();
    expect(changesOf(await mirror.up())).toEqual([]);
    expect(mirror.writes()).toEqual([]);
  });
});

type Holdings = Readonly<Record<string, SeenIndex>>;

async function holdings(app: string, tags: readonly string[]): Promise<Holdings> {
  return Object.fromEntries(
    await Promise.all(tags.map(async (tag) => [tag, await mirror.registry.index(app, tag)] as const)),
  );
}

function seen({ digest, platforms }: SeenIndex): Pick<SeenIndex, "digest" | "platforms"> {
  return { digest, platforms };
}

function nameOf({ urn }: ExportedResource): string {
  return urn.split("::").at(-1) ?? "";
}

/** A provider the engine made: it publishes nothing, and takes no options. */
function isDefaultProvider(urn: string): boolean {
  return /::pulumi:providers:[^:]+::default(_|$)/.test(urn);
}
