import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf } from "../e2e/support/pulumiRun";
import { tinyApp } from "../e2e/support/tinyUpstream";
import { signingByKey } from "./support/signedBundles";
import { shortcomings } from "./support/shortcomings";
import { Watch } from "./support/watch";

describe("the state is lost", () => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: tinyApp("1.0.0", "1.1.0"),
    });
    mirror.configure({ attest: signingByKey(mirror) });
  });
  afterAll(() => mirror?.stop());

  it("F01 adopts everything that is published when the state is gone, and writes nothing", async () => {
    expect(await mirror.up()).toMatchObject({ exitCode: 0 });
    const watch = await Watch.begin(mirror);
    expect(Object.keys(watch.before)).toEqual(["tiny:1.0.0", "tiny:1.1.0"]);
    await mirror.loseState();
    mirror.mark();
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(mirror.writes()).toEqual([]);
    expect(changesOf(run)).toEqual([]);
    const versions = run.outputs.published?.["tiny"]?.versions ?? {};
    expect(
      Object.entries(versions).map(([version, { digest, origin }]) => [`tiny:${version}`, digest, origin]),
    ).toEqual(Object.entries(watch.before).map(([name, { digest }]) => [name, digest, "adopted"]));
    expect(await watch.damage()).toEqual([]);
    expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0"])).toEqual([]);
  });
});
