import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyApp } from "../e2e/support/tinyUpstream";
import { shortcomings } from "./support/shortcomings";
import { signingByKey, verified } from "./support/signedBundles";

const execute = promisify(execFile);
let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: tinyApp("1.0.0"),
  });
});

afterAll(() => mirror?.stop());

it("F35 what another key signed is missing in every preview until a run mends it, and nothing that verifies gets a second set", async () => {
  const prefix = join(mirror.sandbox.folder, "former");
  await execute("cosign", ["generate-key-pair", "--output-key-prefix", prefix], {
    env: mirror.environment({ COSIGN_PASSWORD: "" }),
  });
  mirror.configure({ attest: { signing: { mode: "key", key: `${prefix}.key`, signingConfig: "none" } } });
  expect(errorsOf(await mirror.up())).toBe("");
  mirror.configure({ attest: signingByKey(mirror) });
  for (let times = 0; times < 2; times++) {
    const preview = await mirror.preview();
    expect(preview.output).toMatch(/1\.0\.0.*unsigned/);
  }
  mirror.mark();
  expect(errorsOf(await mirror.up())).toBe("");
  expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
  mirror.mark();
  expect(errorsOf(await mirror.up())).toBe("");
  expect(mirror.writes()).toEqual([]);
  const digest = await mirror.registry.digest("tiny", "1.0.0");
  expect((await verified(mirror, "tiny", digest)).length).toBeGreaterThan(0);
});
