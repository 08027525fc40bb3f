import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { ImageView } from "./support/imageView";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { changesOf } from "./support/pulumiRun";
import { goToolApp, writeGoTool } from "./upstream/goTool";
import { pushOfficialOutline, writeOutline } from "./upstream/outline";
import { productionApps } from "./upstream/productionApps";
import type { PushedImage } from "./upstream/pushImage";

const both = ["linux/amd64", "linux/arm64"] as const;

/** Outline's app file with upstream's own images in the sandbox's registry, and what is to be done where there is one. */
function outlineApps(sandbox: Sandbox, mode: "build" | "copy" | "skip") {
  const { outline = "", ...others } = productionApps("outline", "baseOutline");
  const official = outline.replace("docker.io/outlinewiki/outline:", `${sandbox.urls.registry}/upstream/outline:`);
  return { ...others, outline: official.replace('Platform: "build"', `Platform: "${mode}"`) };
}

describe("apps of other kinds", () => {
  let mirror: MirrorUnderTest;
  let official: PushedImage;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await Promise.all([writeOutline(sandbox), writeGoTool(sandbox)]);
        const repository = "upstream/outline";
        official = await pushOfficialOutline(sandbox, repository, "1.9.2", both);
        await pushOfficialOutline(sandbox, repository, "1.9.1", ["linux/amd64"]);
        return outlineApps(sandbox, "copy");
      },
    });
  });
  afterAll(() => mirror?.stop());

  const outlineSettings = (versions: number, bases: number) => {
    const repository = `${mirror.sandbox.urls.git}/outline/outline.git`;
    return { outline: { repository, keep: versions }, "base-outline": { repository, keep: bases } };
  };

  it("copies upstream's own image unchanged when the app says so, and notes it", async () => {
    mirror.configure({ apps: { outline: outlineSettings(1, 1).outline } });
    const preview = await mirror.preview();
    expect(preview.output).toMatch(/upstream publishes linux\/arm64 itself: 1\.9\.2/);
    expect(preview.output).toMatch(/^\s*1\.9\.2 .*will copy/m);
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect((await mirror.registry.index("outline", "1.9.2")).platforms).toEqual(official.platforms);
    const image = await ImageView.of(mirror, "outline", "1.9.2", "linux/arm64");
    expect((await image.file("/opt/outline/build/server/index.js")).toString()).toBe("official()\n");
    expect(changesOf(await mirror.preview())).toEqual([]);
  });

  it("leaves to upstream what upstream has, and builds the rest on a base nobody publishes", async () => {
    mirror.setApps(outlineApps(mirror.sandbox, "skip"));
    const apps = outlineSettings(2, 1);
    const withoutIt = { ...apps["base-outline"], exclude: ["1.9.2", "1.9.1"] };
    mirror.configure({ apps: { ...apps, "base-outline": withoutIt } });
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(Object.keys((await mirror.registry.index("outline", "1.9.1")).platforms)).toEqual(["linux/arm64"]);
    expect(await mirror.registry.tags("base-outline")).toEqual(["1.9.0", "latest"]);
    const image = await ImageView.of(mirror, "outline", "1.9.1", "linux/arm64");
    expect((await image.file("/opt/outline/build/machine")).toString()).toBe("aarch64\n");
  });

  it("builds on a base that was published in an earlier run, by its digest", async () => {
    mirror.setApps(outlineApps(mirror.sandbox, "build"));
    const apps = outlineSettings(3, 4);
    mirror.configure({ apps: { "base-outline": apps["base-outline"] } });
    expect((await mirror.up()).exitCode).toBe(0);
    mirror.configure({ apps });
    mirror.mark();
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(mirror.writes().filter((line) => line.includes("/base-outline/"))).toEqual([]);
    const base = await ImageView.of(mirror, "base-outline", "1.9.0", "linux/arm64");
    const { resources } = await mirror.exportState();
    const declared = resources.find(({ urn }) => urn.endsWith("::outline-1.9.0-linux-arm64"));
    expect(declared?.inputs).toMatchObject({
      context: { named: { "outlinewiki/outline-base": { location: expect.stringContaining(base.digest) as string } } },
    });
  });

  it("takes on an app of another kind by its own file alone: cross-compiled, with tags such as release-1.2.3", async () => {
    mirror.setApps({ ...outlineApps(mirror.sandbox, "build"), goTool: goToolApp(mirror.sandbox) });
    mirror.configure({ apps: { ...outlineSettings(3, 4), gotool: {} } });
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(changesOf(run).filter((change) => !change.includes("gotool"))).toEqual([]);
    expect(await mirror.registry.tags("gotool")).toEqual(["1", "1.10.0", "1.9.0", "latest"]);
    expect(await mirror.registry.digest("gotool", "latest")).toBe(await mirror.registry.digest("gotool", "1.10.0"));
    for (const [platform, machine] of [
      ["linux/amd64", 62],
      ["linux/arm64", 183],
    ] as const) {
      const image = await ImageView.of(mirror, "gotool", "1.10.0", platform);
      expect((await image.file("/usr/bin/gotool")).readUInt16LE(18)).toBe(machine);
    }
  });
});
