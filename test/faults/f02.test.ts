import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usualEntry } from "../e2e/support/entry";
import { MirrorUnderTest, type RunningCommand } from "../e2e/support/mirrorUnderTest";
import { changesOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { releaseDeadLocks } from "../../commands/reconcile/releaseDeadLocks";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { killTree } from "./support/killTree";
import { shortcomings } from "./support/shortcomings";
import { signingByKey, verified } from "./support/signedBundles";
import { holdBuilds, slowUpstream } from "./support/slowUpstream";
import { until } from "./support/until";
import { Watch } from "./support/watch";

/** Longer than any test: what is held is let go by a kill only. */
const forEver = 3_600_000;
const builds = (run: PulumiRun): readonly string[] =>
  changesOf(run).filter((change) => /^(create|update|replace) .*-linux-/.test(change));

describe("the machine dies in the middle of a run", () => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      through: usualEntry("reconcile"),
      apps: (sandbox) => slowUpstream(sandbox, "tiny", ["1.0.0"]),
    });
  });
  afterAll(() => mirror?.stop());

  const acted = (): boolean => mirror.sandbox.ruleStatus().some(({ used }) => used > 0);
  async function kill({ child, ended }: RunningCommand): Promise<void> {
    killTree(child.pid ?? 0);
    await ended;
    mirror.sandbox.clearRules();
  }
  /** As `npm run reconcile` begins: what a killed run left locked is no obstacle. */
  async function nextRun(): Promise<PulumiRun> {
    expect(await releaseDeadLocks(mirror.environment()["PULUMI_BACKEND_URL"] ?? "")).toHaveLength(1);
    return mirror.up();
  }
  async function startNext(app: string): Promise<void> {
    await tinyUpstream(mirror.sandbox, app, [{ version: "1.0.0" }]);
    mirror.setApps({ [app]: tinyAppFile(mirror.sandbox, app) });
    await mirror.loseState();
  }

  async function killBeforeIndex(app: string): Promise<Watch> {
    await startNext(app);
    const watch = await Watch.begin(mirror, [app]);
    mirror.sandbox.setRules([{ part: "registry", method: "PUT", path: "/manifests/1\\.0\\.0$", delayMs: forEver }]);
    const running = mirror.start("up");
    await until("the index is about to be written", acted);
    await kill(running);
    return watch;
  }

  it("F02 leaves no tag when it is killed during a build, and the next run publishes without any repair", async () => {
    const watch = await Watch.begin(mirror);
    holdBuilds(mirror, forEver);
    const running = mirror.start("up");
    await until("the build runs", acted);
    await kill(running);
    expect(await mirror.registry.tags("tiny")).toEqual([]);
    const run = await nextRun();
    expect(run.exitCode, run.output).toBe(0);
    expect(watch.tagWrites("tiny", "1.0.0")).toBe(1);
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    await mirror.registry.pull("tiny", "1.0.0");
    expect(await watch.damage()).toEqual([]);
    expect(changesOf(await mirror.up())).toEqual([]);
  });

  it("F03 ends with one complete index after a kill between the images' push and the index", async () => {
    const watch = await killBeforeIndex("unindexed");
    expect(await mirror.registry.tags("unindexed")).toEqual([]);
    const run = await nextRun();
    expect(run.exitCode, run.output).toBe(0);
    expect(watch.tagWrites("unindexed", "1.0.0")).toBe(1);
    const { platforms } = await mirror.registry.index("unindexed", "1.0.0");
    expect(Object.keys(platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
    await mirror.registry.pull("unindexed", "1.0.0");
    expect(await watch.damage()).toEqual([]);
  });

  it("F03 does so too when somebody has cleaned up the images without a tag before the next run", async () => {
    const watch = await killBeforeIndex("cleaned");
    const pushed = watch.pushedManifests("cleaned");
    expect(pushed.length).toBeGreaterThanOrEqual(2);
    for (const digest of pushed) await mirror.registry.deleteManifest("cleaned", digest);
    const run = await nextRun();
    expect(run.exitCode, run.output).toBe(0);
    expect(watch.tagWrites("cleaned", "1.0.0")).toBe(1);
    await mirror.registry.pull("cleaned", "1.0.0");
    expect(changesOf(await mirror.up())).toEqual([]);
  });

  it("F37 leaves no tag when it is killed while platforms are signed, and one run completes it", async () => {
    mirror.configure({ attest: signingByKey(mirror) });
    await startNext("unsealed");
    mirror.sandbox.setRules([{ part: "registry", method: "PUT", path: "/manifests/sha256-", delayMs: forEver }]);
    const running = mirror.start("up");
    await until("the first signature is about to be listed", acted);
    await kill(running);
    expect((await mirror.registry.tags("unsealed")).filter((tag) => !tag.startsWith("sha256-"))).toEqual([]);
    const watch = await Watch.begin(mirror, ["unsealed"]);
    const run = await nextRun();
    expect(run.exitCode, run.output).toBe(0);
    expect(watch.tagWrites("unsealed", "1.0.0")).toBe(1);
    expect(await shortcomings(mirror, "unsealed", ["1.0.0"])).toEqual([]);
    expect(changesOf(await mirror.up())).toEqual([]);
  });

  it("F04 adds each attestation once after a kill between index and signature, and builds and tags nothing again", async () => {
    mirror.configure({ attest: signingByKey(mirror) });
    await startNext("unsigned");
    const first = await Watch.begin(mirror, ["unsigned"]);
    const running = mirror.start("up");
    await until("the tag is written", () => first.tagWrites("unsigned", "1.0.0") > 0);
    mirror.sandbox.setRules([{ part: "registry", method: "PUT", path: "/manifests/sha256-", delayMs: forEver }]);
    await kill(running);
    const { platforms } = await mirror.registry.index("unsigned", "1.0.0");
    for (const digest of Object.values(platforms))
      expect(await verified(mirror, "unsigned", digest)).toEqual(["provenance", "sbom", "signature"]);
    const watch = await Watch.begin(mirror, ["unsigned"]);
    expect(Object.keys(watch.before)).toEqual(["unsigned:1.0.0"]);
    const run = await nextRun();
    expect(run.exitCode, run.output).toBe(0);
    expect(builds(run)).toEqual([]);
    // The killed run recorded nothing in its outputs, but its state still has the images.
    expect(changesOf(run).filter((change) => change.startsWith("delete"))).toEqual([]);
    expect(watch.tagWrites("unsigned", "1.0.0")).toBe(0);
    expect(await shortcomings(mirror, "unsigned", ["1.0.0"], { exactly: true })).toEqual([]);
    expect(await watch.damage()).toEqual([]);
    expect(changesOf(await mirror.up())).toEqual([]);
  });
});
