import { afterEach, describe, expect, it } from "vitest";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { reconcileRun } from "./support/reconcileRun";
import { changesOf, errorsOf } from "./support/pulumiRun";

let mirror: MirrorUnderTest | undefined;

afterEach(async () => {
  await mirror?.stop();
  mirror = undefined;
});

describe("an app whose repository the registry does not answer about", () => {
  it.each([500, 403])(
    "with %i is not built but named, the run fails, and the other app is published",
    async (status) => {
      const started = await startTwoApps();
      started.sandbox.setRules([{ part: "registry", path: "^/v2/mirror/bad/manifests/", status, method: "GET|HEAD" }]);
      const preview = await started.preview();
      expect(preview.exitCode).not.toBe(0);
      expect(changesOf(preview).filter((change) => change.includes("bad"))).toEqual([]);
      started.mark();
      const up = await started.up();
      expect(up.exitCode).not.toBe(0);
      expect(errorsOf(up)).toMatch(new RegExp(`bad: 1\\.0\\.0: .*${status}`));
      expect(up.outputs.missing).toEqual(["bad 1.0.0"]);
      expect(started.writes().filter((write) => write.includes("/mirror/bad/"))).toEqual([]);
      expect(await started.registry.tags("good")).toEqual(["1.0.0", "latest"]);

      started.sandbox.clearRules();
      const again = await started.up();
      expect(errorsOf(again)).toBe("");
      expect(again.exitCode).toBe(0);
      expect(await started.registry.tags("bad")).toEqual(["1.0.0", "latest"]);
      expect(changesOf(again).filter((change) => change.includes("good"))).toEqual([]);
    },
  );

  it.each([
    ["500 about one tag", { path: "^/v2/mirror/bad/manifests/1", status: 500 }],
    ["403 about everything", { path: "^/v2/mirror/bad/", status: 403 }],
  ])("stays published and declared when it was published before: %s", async (_, refusal) => {
    const started = await startTwoApps();
    expect((await started.up()).exitCode).toBe(0);
    await tinyUpstream(started.sandbox, "good", [{ version: "1.1.0" }]);
    started.sandbox.setRules([{ part: "registry", ...refusal }]);
    started.mark();
    const up = await started.up();
    expect(up.exitCode).not.toBe(0);
    expect(changesOf(up).filter((change) => change.includes("bad"))).toEqual([]);
    expect(started.writes().filter((write) => write.includes("/mirror/bad/"))).toEqual([]);
    expect(up.outputs.problems?.join()).toMatch(/bad: 1\.0\.0/);
    expect(await started.registry.tags("good")).toEqual(["1.0.0", "1.1.0", "latest"]);
    started.sandbox.clearRules();
    started.mark();
    const again = await started.up();
    expect(again.exitCode).toBe(0);
    expect(changesOf(again)).toEqual([]);
    expect(started.writes()).toEqual([]);
  });
});

describe("an image that does not pass its check", () => {
  it("gets no tag, nor does it keep others from theirs; and is built anew when upstream or the app is corrected", async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await tinyUpstream(sandbox, "checked", [
          { version: "1.0.0" },
          { version: "9.9.9", tags: ["v2.0.0"] },
          { version: "3.0.0", swapped: { "linux/arm64": "linux/amd64" } },
          { version: "4.0.0", dockerfile: tinyDockerfile.replace("bin/", "no/such/") },
        ]);
        return { checked: tinyAppFile(sandbox, "checked") };
      },
      settings: { keep: 4 },
    });
    const started = mirror;
    for (const run of [await started.up(), await started.up()]) {
      expect(run.exitCode).not.toBe(0);
      expect(await started.registry.tags("checked")).toEqual(["1.0.0", "latest"]);
      expect(await started.registry.digest("checked", "latest")).toBe(
        await started.registry.digest("checked", "1.0.0"),
      );
      expect(run.outputs.missing).toEqual(["checked 4.0.0", "checked 3.0.0", "checked 2.0.0"]);
      const problems = run.outputs.problems?.join("\n") ?? "";
      expect(problems).toMatch(/checked: 3\.0\.0: .*\/bin\/tiny/s);
      expect(problems).toMatch(/checked: 2\.0\.0: .*9\.9\.9/s);
      expect(problems).toMatch(/checked: 4\.0\.0: the build for linux\/amd64, linux\/arm64 failed/);
    }

    // The app is corrected for 2.0.0, upstream has corrected 3.0.0 under the same tag.
    await tinyUpstream(started.sandbox, "checked", [{ version: "3.0.0" }]);
    started.setApps({
      checked: tinyAppFile(started.sandbox, "checked").replace(
        '"^checked " + version',
        '"^checked (9.9.9|" + version + ")"',
      ),
    });
    const corrected = await started.up();
    expect(await started.registry.tags("checked")).toEqual(["1.0.0", "2.0.0", "3.0.0", "latest"]);
    expect(corrected.outputs.missing).toEqual(["checked 4.0.0"]);
    expect(await started.registry.digest("checked", "latest")).toBe(await started.registry.digest("checked", "3.0.0"));
  });

  it("for no builder understands its Dockerfile keeps no other from theirs", async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await tinyUpstream(sandbox, "good", [{ version: "1.0.0" }]);
        const files = (line: string) => ({ "Other.Dockerfile": `${tinyDockerfile}${line}\n` });
        await tinyUpstream(sandbox, "bad", [
          { version: "1.0.0", files: files("FROBNICATE it") },
          { version: "2.0.0", files: files("COPY --frobnicate bin /bin") },
        ]);
        return {
          bad: tinyAppFile(sandbox, "bad", `\n  dockerfile: "Other.Dockerfile",`),
          good: tinyAppFile(sandbox, "good"),
        };
      },
      settings: { keep: 2 },
    });
    const run = await reconcileRun(mirror, []);
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/1\.0\.0.*"FROBNICATE" is no instruction/s);
    expect(run.stdout).toMatch(/unknown flag: --?frobnicate/);
    expect(await mirror.registry.tags("good")).toEqual(["1.0.0", "latest"]);
    expect(await mirror.registry.tags("bad")).toEqual([]);
  });

  it("as the base of another app fails that one too, and nothing else", async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await tinyUpstream(sandbox, "good", [{ version: "1.0.0" }]);
        await tinyUpstream(sandbox, "parent", [
          { version: "1.0.0", dockerfile: tinyDockerfile.replace("bin/", "no/") },
        ]);
        await tinyUpstream(sandbox, "child", [{ version: "1.0.0", dockerfile: "FROM example.com/parent\n" }]);
        const onParent = `\n  bases: [{ context: "example.com/parent", app: "parent" }],`;
        return {
          child: tinyAppFile(sandbox, "child", onParent),
          parent: tinyAppFile(sandbox, "parent"),
          good: tinyAppFile(sandbox, "good"),
        };
      },
    });
    expect((await mirror.preview()).exitCode).toBe(0);
    const up = await mirror.up();
    expect(up.exitCode).not.toBe(0);
    expect(up.outputs.missing?.toSorted()).toEqual(["child 1.0.0", "parent 1.0.0"]);
    expect(await mirror.registry.tags("good")).toEqual(["1.0.0", "latest"]);
    expect([...(await mirror.registry.tags("parent")), ...(await mirror.registry.tags("child"))]).toEqual([]);
  });

  it("is built anew when the recipe is corrected", async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        const dockerfile = `FROM scratch\nARG TARGETARCH\nARG FOLDER=wrong\nCOPY --chmod=755 \${FOLDER}/\${TARGETARCH} /bin/tiny\nENTRYPOINT ["/bin/tiny"]\n`;
        const files = { "wrong/amd64": "no program", "wrong/arm64": "no program" };
        await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0", dockerfile, files }]);
        return { tiny: tinyAppFile(sandbox, "tiny") };
      },
    });
    expect((await mirror.up()).exitCode).not.toBe(0);
    expect(await mirror.registry.tags("tiny")).toEqual([]);
    const corrected = tinyAppFile(mirror.sandbox, "tiny", `\n  buildArguments: () => ({ FOLDER: "bin" }),`);
    expect(corrected.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    mirror.setApps({ tiny: corrected });
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(up.exitCode).toBe(0);
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    await mirror.registry.pull("tiny", "1.0.0");
  });
});

async function startTwoApps(): Promise<MirrorUnderTest> {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      for (const app of ["bad", "good"]) await tinyUpstream(sandbox, app, [{ version: "1.0.0" }]);
      return { bad: tinyAppFile(sandbox, "bad"), good: tinyAppFile(sandbox, "good") };
    },
    settings: { keep: 1 },
  });
  return mirror;
}
