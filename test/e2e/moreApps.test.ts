import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { verified } from "../faults/support/signedBundles";
import { ImageView } from "./support/imageView";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { changesOf } from "./support/pulumiRun";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";
import { attachedTo, attachText, signImage } from "./upstream/attachments";
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
  /** Upstream's 1.9.2, for both platforms; its 1.9.1 and 1.9.0, for one. */
  let official: PushedImage;
  let half: PushedImage;
  /** What upstream attached to its image for arm64. */
  let sbom: string;
  /** What it attached to that. */
  let remark: string;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await Promise.all([writeOutline(sandbox), writeGoTool(sandbox)]);
        const repository = "upstream/outline";
        official = await pushOfficialOutline(sandbox, repository, "1.9.2", both);
        half = await pushOfficialOutline(sandbox, repository, "1.9.1", ["linux/amd64"]);
        await pushOfficialOutline(sandbox, repository, "1.9.0", ["linux/amd64"]);
        return outlineApps(sandbox, "copy");
      },
    });
    const arm = upstream(official.platforms["linux/arm64"] ?? "");
    sbom = await attachText(mirror, arm, "application/spdx+json", "an SBOM");
    remark = await attachText(mirror, upstream(sbom), "application/example", "about the SBOM");
    await signImage(mirror, upstream(official.index));
  });
  afterAll(() => mirror?.stop());

  const upstream = (digest: string) => `${mirror.sandbox.urls.registry}/upstream/outline@${digest}`;
  const attached = (digest: string) => attachedTo(mirror, mirror.registry.name("outline", digest));
  const outlineSettings = (versions: number, bases: number) => {
    const repository = `${mirror.sandbox.urls.git}/outline/outline.git`;
    return { outline: { repository, keep: versions }, "base-outline": { repository, keep: bases } };
  };

  it("copies upstream's own image unchanged when the app says so, with all that is attached to it, and notes it", async () => {
    const { outline, "base-outline": base } = outlineSettings(2, 1);
    mirror.configure({ apps: { outline, "base-outline": { ...base, enabled: false } } });
    const preview = await mirror.preview();
    expect(preview.output).toMatch(/upstream publishes linux\/arm64 itself: 1\.9\.2/);
    expect(preview.output).toMatch(/^\s*1\.9\.2 .*will copy/m);
    expect(preview.output).toMatch(/1\.9\.2: not copied: "application\/spdx\+json"/);
    expect(await mirror.registry.tags("outline")).toEqual([]);
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    // Its index too: what upstream signed is what verifies here.
    expect((await mirror.registry.index("outline", "1.9.2")).digest).toBe(official.index);
    expect(await attached(official.index)).toEqual(await attachedTo(mirror, upstream(official.index)));
    expect(await verified(mirror, "outline", official.index)).toEqual(["signature"]);
    const image = await ImageView.of(mirror, "outline", "1.9.2", "linux/arm64");
    expect((await image.file("/opt/outline/build/server/index.js")).toString()).toBe("official()\n");
    expect(await attached(image.digest)).toEqual([sbom]);
    expect(await attached(sbom)).toEqual([remark]);
    expect(await mirror.registry.regctl("artifact", "get", mirror.registry.name("outline", sbom))).toBe("an SBOM");
    expect(changesOf(await mirror.preview())).toEqual([]);
  });

  it("builds the platform upstream lacks beside the one it copies", async () => {
    const { platforms } = await mirror.registry.index("outline", "1.9.1");
    expect(Object.keys(platforms).toSorted()).toEqual(both);
    expect(platforms["linux/amd64"]).toBe(half.platforms["linux/amd64"]);
    const image = await ImageView.of(mirror, "outline", "1.9.1", "linux/arm64");
    expect((await image.file("/opt/outline/build/machine")).toString()).toBe("aarch64\n");
  });

  it("restores what upstream attached when it is gone, also after the state is lost, and nothing else", async () => {
    await mirror.registry.deleteManifest("outline", sbom);
    await mirror.loseState();
    mirror.mark();
    const preview = await mirror.preview();
    expect(preview.output).toMatch(/1\.9\.2: not copied: "application\/spdx\+json"/);
    expect(changesOf(preview)).toEqual(["create outline-1.9.2-referrers"]);
    expect(mirror.writes()).toEqual([]);
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(mirror.writes().filter((line) => line.includes("/manifests/"))).toEqual([
      expect.stringContaining(`/outline/manifests/${sbom}`),
    ]);
    expect(await attached(official.platforms["linux/arm64"] ?? "")).toEqual([sbom]);
    expect(changesOf(await mirror.preview())).toEqual([]);
  });

  it("reports a version as incomplete while what upstream attached cannot be copied, and stops no other", async () => {
    await mirror.registry.deleteManifest("outline", sbom);
    mirror.sandbox.setRules([{ part: "registry", method: "PUT", path: `/outline/manifests/${sbom}`, status: 403 }]);
    const run = await mirror.up();
    mirror.sandbox.clearRules();
    expect(run.exitCode).not.toBe(0);
    expect(run.outputs.missing).toEqual(["outline 1.9.2"]);
    expect(run.outputs.problems?.join()).toMatch(
      /1\.9\.2: it is published, but without all that upstream attached to what was copied/,
    );
    expect((await mirror.up()).exitCode).toBe(0);
    expect(await attached(official.platforms["linux/arm64"] ?? "")).toEqual([sbom]);
  });

  it("leaves to upstream what upstream has, and builds the rest on a base nobody publishes", async () => {
    mirror.setApps(outlineApps(mirror.sandbox, "skip"));
    // The base is not mirrored, and comes from where the stack says all the same.
    const { outline, "base-outline": base } = outlineSettings(3, 1);
    mirror.configure({ apps: { outline, "base-outline": { ...base, enabled: false } } });
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(Object.keys((await mirror.registry.index("outline", "1.9.0")).platforms)).toEqual(["linux/arm64"]);
    expect(await mirror.registry.tags("base-outline")).toEqual([]);
    const image = await ImageView.of(mirror, "outline", "1.9.0", "linux/arm64");
    expect((await image.file("/opt/outline/build/machine")).toString()).toBe("aarch64\n");
  });

  it("builds on a base that was published in an earlier run, by its digest", async () => {
    mirror.setApps(outlineApps(mirror.sandbox, "build"));
    const apps = outlineSettings(4, 5);
    mirror.configure({ apps: { "base-outline": apps["base-outline"] } });
    expect((await mirror.up()).exitCode).toBe(0);
    mirror.configure({ apps });
    mirror.mark();
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(mirror.writes().filter((line) => line.includes("/base-outline/"))).toEqual([]);
    const base = await ImageView.of(mirror, "base-outline", "1.8.1", "linux/arm64");
    const { resources } = await mirror.exportState();
    const declared = resources.find(({ urn }) => urn.endsWith("::outline-1.8.1-linux-arm64"));
    expect(declared?.inputs).toMatchObject({
      context: { named: { "outlinewiki/outline-base": { location: expect.stringContaining(base.digest) as string } } },
    });
  });

  it("takes on an app of another kind by its own file alone: cross-compiled, with tags such as release-1.2.3", async () => {
    mirror.setApps({ ...outlineApps(mirror.sandbox, "build"), goTool: goToolApp(mirror.sandbox) });
    mirror.configure({ apps: { ...outlineSettings(4, 5), gotool: {} } });
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

  it("takes programs for other machines only where the app says that they belong", async () => {
    const { sandbox } = mirror;
    const dockerfile = tinyDockerfile.replace("ENTRYPOINT", "COPY --chmod=755 bin /opt/programs\nENTRYPOINT");
    await tinyUpstream(sandbox, "toolbox", [{ version: "1.0.0", dockerfile }]);
    mirror.configure({ apps: { toolbox: {} } });
    mirror.setApps({ toolbox: tinyAppFile(sandbox, "toolbox", '\n  foreign: ["/opt/prog"],') });
    const refused = await mirror.up();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.outputs.problems?.join()).toMatch(/"\/opt\/programs\/ppc64le" is an executable for ppc64le/);
    expect(await mirror.registry.tags("toolbox")).toEqual([]);
    mirror.setApps({ toolbox: tinyAppFile(sandbox, "toolbox", '\n  foreign: ["/opt/programs"],') });
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(await mirror.registry.tags("toolbox")).toEqual(["1.0.0", "latest"]);
  });
});
