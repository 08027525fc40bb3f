import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { publishedManifests } from "./support/publishedManifests";
import { Watch } from "./support/watch";

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }, { version: "1.1.0" }]);
      await tinyUpstream(sandbox, "other", [{ version: "10.1.0" }]);
      return { tiny: tinyAppFile(sandbox, "tiny"), other: tinyAppFile(sandbox, "other") };
    },
    settings: { apps: ["tiny"] },
  });
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
});

afterAll(() => mirror?.stop());

it("F13 a version whose index lost a platform gets back just that platform", async () => {
  await mirror.loseState();
  const whole = await mirror.registry.index("tiny", "1.0.0");
  await mirror.registry.regctl("index", "delete", "--platform", "linux/arm64", mirror.registry.name("tiny", "1.0.0"));
  const preview = await mirror.preview({ through: "pulumi" });
  expect(preview.output).toMatch(/1\.0\.0 +partial +published +will build/);
  expect(changesOf(preview)).toEqual(["create tiny-1.0.0", "create tiny-1.0.0-linux-arm64"]);
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
  expect(up.exitCode).toBe(0);
  expect(changesOf(up)).toEqual(changesOf(preview));
  const after = await mirror.registry.index("tiny", "1.0.0");
  expect(Object.keys(after.platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
  expect(after.platforms["linux/amd64"]).toBe(whole.platforms["linux/amd64"]);
  await mirror.registry.pull("tiny", "1.0.0");
});

it("F14 a version tag others moved is reported and left alone, while other apps go on", async () => {
  const ours = await mirror.registry.digest("tiny", "1.0.0");
  await mirror.registry.retag("tiny", "1.1.0", "1.0.0");
  const theirs = await mirror.registry.digest("tiny", "1.0.0");
  expect(theirs).not.toBe(ours);
  mirror.configure({ apps: ["tiny", "other"] });
  const watch = await Watch.begin(mirror, ["tiny", "other"]);
  const up = await mirror.up();
  expect(up.exitCode, up.output).not.toBe(0);
  expect(errorsOf(up)).toContain(
    `tiny: 1.0.0: the tag was moved by others: it names ${theirs}, this mirror published ${ours}`,
  );
  expect(await watch.damage()).toEqual([]);
  expect(watch.tagWrites("tiny", "1.0.0")).toBe(0);
  expect(up.outputs.missing).toEqual(["tiny 1.0.0"]);
  await mirror.registry.pull("other", "10.1.0");
  await mirror.registry.regctl(
    "image",
    "copy",
    mirror.registry.name("tiny", ours),
    mirror.registry.name("tiny", "1.0.0"),
  );
  expect((await mirror.up()).exitCode).toBe(0);
});

it("F13 a version whose index describes a platform so that nobody can pull it is composed anew, without a build", async () => {
  const whole = await mirror.registry.index("tiny", "1.0.0");
  const arm64 = whole.platforms["linux/arm64"] ?? "";
  const raw = JSON.parse(await mirror.registry.raw("tiny", "1.0.0")) as { readonly manifests: readonly Descriptor[] };
  // What docker-build writes when the registry's answer about a manifest is cut off: no kind, and so no platform.
  const manifests = raw.manifests.map(({ mediaType, digest, size, platform }) =>
    digest === arm64
      ? { mediaType: "application/octet-stream", digest, size }
      : { mediaType, digest, size, ...(platform && { platform }) },
  );
  const damaged = JSON.stringify({ ...raw, manifests });
  expect(await mirror.registry.putManifest("tiny", "1.0.0", whole.mediaType, damaged)).toBe(201);
  expect(Object.keys((await mirror.registry.index("tiny", "1.0.0")).platforms).toSorted()).toEqual(["", "linux/amd64"]);
  const watch = await Watch.begin(mirror);
  const preview = await mirror.preview({ through: "pulumi" });
  expect(preview.output).toMatch(/1\.0\.0 .*will repair/);
  expect(changesOf(preview)).toEqual(["update tiny-1.0.0"]);
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
  expect(up.exitCode).toBe(0);
  expect(changesOf(up)).toEqual(changesOf(preview));
  expect((await mirror.registry.index("tiny", "1.0.0")).platforms).toEqual(whole.platforms);
  expect(watch.pushedManifests("tiny")).toEqual([]);
  expect(await watch.damage()).toEqual([]);
  await mirror.registry.pull("tiny", "1.0.0");
});

it("F17 latest stays with the highest version after a backport, and comes back when it was moved", async () => {
  await tinyUpstream(mirror.sandbox, "other", [{ version: "9.11.5" }]);
  const watch = await Watch.begin(mirror, ["tiny", "other"]);
  const backport = await mirror.up();
  expect(errorsOf(backport)).toBe("");
  expect(await mirror.registry.tags("other")).toEqual(["10.1.0", "9.11.5", "latest"]);
  const highest = await mirror.registry.digest("other", "10.1.0");
  expect(await mirror.registry.digest("other", "latest")).toBe(highest);
  expect(watch.tagWrites("other", "latest")).toBe(0);
  // Twice, as the resource's inputs look the same as before.
  for (const time of ["once", "again"]) {
    await mirror.registry.retag("other", "9.11.5", "latest");
    expect(await mirror.registry.digest("other", "latest")).not.toBe(highest);
    const up = await mirror.up();
    expect(errorsOf(up), time).toBe("");
    expect(await mirror.registry.digest("other", "latest"), time).toBe(highest);
  }
  expect(await watch.damage()).toEqual([]);
});

it("F15 nothing is deleted when the window slides, the provider is upgraded, an app is renamed or removed, or the stack destroyed", async () => {
  const watch = await Watch.begin(mirror, ["tiny", "other"]);
  const manifests = publishedManifests(mirror);
  expect(manifests.length).toBeGreaterThan(7);
  mirror.configure({ keep: 1 });
  expect((await mirror.up()).exitCode).toBe(0);

  await upgradeProvider();
  const upgraded = await mirror.up();
  expect(errorsOf(upgraded), upgraded.output).toBe("");
  expect(changesOf(upgraded)).toEqual([]);

  const renamed = tinyAppFile(mirror.sandbox, "tiny").replace('name: "tiny"', 'name: "renamed"');
  const steps: readonly (readonly [readonly string[], () => void])[] = [
    [["renamed", "other"], () => mirror.setApps({ tiny: renamed, other: tinyAppFile(mirror.sandbox, "other") })],
    [["renamed"], () => mirror.setApps({ tiny: renamed })],
  ];
  for (const [apps, change] of steps) {
    change();
    mirror.configure({ apps });
    const up = await mirror.up();
    expect(errorsOf(up)).not.toMatch(/delet/i);
  }
  expect((await mirror.destroy()).exitCode).toBe(0);
  expect((await mirror.exportState()).resources).toEqual([]);

  expect(await watch.damage()).toEqual([]);
  for (const [app, digest] of manifests) expect(await mirror.registry.digest(app, digest)).toBe(digest);
  for (const version of ["1.0.0", "1.1.0"]) await mirror.registry.pull("tiny", version);
  for (const version of ["10.1.0", "9.11.5", "latest"]) await mirror.registry.pull("other", version);
});

/** Makes the state look as a run with an older provider left it. */
async function upgradeProvider(): Promise<void> {
  const state = JSON.parse(await mirror.pulumi("stack", "export")) as {
    readonly deployment: { readonly resources: readonly Provider[] };
  };
  const providers = state.deployment.resources.filter(({ type }) => type === "pulumi:providers:docker-build");
  expect(providers.map(({ inputs }) => inputs.version)).toEqual(["0.0.22"]);
  for (const { inputs, outputs } of providers) inputs.version = outputs.version = "0.0.21";
  const file = join(mirror.sandbox.folder, "older.json");
  writeFileSync(file, JSON.stringify(state));
  await mirror.pulumi("stack", "import", "--file", file);
}

interface Provider {
  readonly type: string;
  readonly inputs: { version: string };
  readonly outputs: { version: string };
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
}
