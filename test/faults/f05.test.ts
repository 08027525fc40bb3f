import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usualEntry } from "../e2e/support/entry";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyApp } from "../e2e/support/tinyUpstream";
import { refusal } from "./support/refusal";
import { Watch } from "./support/watch";

describe("the registry gives no usable answer", () => {
  let mirror: MirrorUnderTest;
  let watch: Watch;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      through: usualEntry("reconcile"),
      apps: tinyApp("1.0.0", "1.1.0"),
    });
    // One version is published, the other one is not: neither may be touched.
    mirror.configure({ apps: { tiny: { exclude: ["1.1.0"] } } });
    expect(await mirror.up()).toMatchObject({ exitCode: 0 });
    mirror.configure({ apps: undefined });
    watch = await Watch.begin(mirror);
    expect(Object.keys(watch.before)).toEqual(["tiny:1.0.0"]);
  });
  afterAll(() => mirror?.stop());

  /** A preview and a run that see nothing they can trust. With the state they have images of 1.0.0 to ask about, without it none. */
  async function expectNothingDone(reason: string, alsoWithState: boolean): Promise<void> {
    mirror.mark();
    if (alsoWithState) for (const run of [await mirror.preview(), await mirror.up()]) expectUnchanged(run);
    const state = await mirror.pulumi("stack", "export");
    await mirror.loseState();
    for (const run of [await mirror.preview(), await mirror.up()]) {
      expectUnchanged(run);
      for (const version of ["1.0.0", "1.1.0"]) {
        expect(run.output).toContain(`tiny: ${version}: the registry gave no usable answer (${reason})`);
      }
    }
    await mirror.importState(state);
  }
  function expectUnchanged(run: PulumiRun): void {
    expect(run.exitCode, run.output).toBeGreaterThan(0);
    expect(changesOf(run)).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    expect(run.output).toContain(mirror.sandbox.urls.registry);
  }

  it("F05 builds nothing while the registry is down, names it and fails, in a preview and in a run", async () => {
    await mirror.sandbox.stopRegistry();
    await expectNothingDone("network", true);
    await mirror.sandbox.startRegistry();
    expect(await watch.damage()).toEqual([]);
  });

  it.each([
    [401, "UNAUTHORIZED", true],
    [403, "DENIED", false],
  ])(
    "F06 takes a refusal with status %i for unknown, never for missing, and builds nothing",
    async (status, code, both) => {
      mirror.sandbox.setRules([refusal(status, code)]);
      await expectNothingDone("authorisation", both);
      mirror.sandbox.clearRules();
      expect(await watch.damage()).toEqual([]);
    },
  );

  it("F05 publishes what is missing, and only that, once the registry answers again", async () => {
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(changesOf(run).filter((change) => change.includes("1.0.0"))).toEqual([]);
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
    await mirror.registry.pull("tiny", "1.1.0");
    expect(await watch.damage()).toEqual([]);
  });
});
