import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unpublishedTag } from "../../components/registry/unpublishedIndex";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { shortcomings } from "./support/shortcomings";
import { signingByKey } from "./support/signedBundles";

/** Olareg's own collector, which looks every second. */
const collectAfter = 2;
const longAfter = 2_500 * collectAfter;

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: { registry: "olareg", collectAfter },
    apps: tinyApp("1.0.0"),
  });
  mirror.configure({ attest: signingByKey(mirror) });
});

afterAll(() => mirror?.stop());

it("F31 images handed over by build runs are published although the registry collects what has no tag", async () => {
  const digests = join(mirror.sandbox.folder, "digests");
  mkdirSync(digests);
  const phase = (name: string, platforms?: string): Readonly<Record<string, string>> => ({
    MIRROR_PHASE: name,
    MIRROR_DIGESTS: digests,
    ...(platforms !== undefined && { MIRROR_PLATFORMS: platforms }),
  });
  for (const platform of ["linux/amd64", "linux/arm64"])
    expect(errorsOf(await mirror.up({ environment: phase("build", platform), through: "pulumi" }))).toBe("");
  await sleep(longAfter);
  expect(errorsOf(await mirror.up({ environment: phase("publish"), through: "pulumi" }))).toBe("");
  expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
});

it("F31 so are images whose index is long in coming, and nobody can pull an image by the tag that holds them", async () => {
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  mirror.sandbox.setRules([
    { part: "registry", method: "PUT", path: "/tiny/manifests/1\\.1\\.0$", delayMs: longAfter, times: 1 },
  ]);
  expect(errorsOf(await mirror.up())).toBe("");
  expect(mirror.sandbox.ruleStatus()[0]?.used).toBe(1);
  mirror.sandbox.clearRules();
  expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0"], { exactly: true })).toEqual([]);
  expect(Object.keys((await mirror.registry.index("tiny", unpublishedTag)).platforms)).toEqual(["unknown/unknown"]);
});
