import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { holdBuilds, slowUpstream } from "./support/slowUpstream";
import { Watch } from "./support/watch";

const tokenSeconds = 5;

describe("tokens that do not live as long as a build", () => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      sandbox: { authentication: { mode: "token", user: "mirror", password: "secret", tokenSeconds } },
      apps: (sandbox) => slowUpstream(sandbox, "tiny", ["1.0.0"]),
    });
  });
  afterAll(() => mirror?.stop());

  it("F11 publishes after a build that took three times as long as a token lives", async () => {
    const watch = await Watch.begin(mirror);
    holdBuilds(mirror, 3_000 * tokenSeconds);
    const run = await mirror.up();
    mirror.sandbox.clearRules();
    expect(run.exitCode, run.output).toBe(0);
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    expect(watch.tagWrites("tiny", "1.0.0")).toBe(1);
    await mirror.registry.pull("tiny", "1.0.0");
    expect(await watch.damage()).toEqual([]);
  });
});
