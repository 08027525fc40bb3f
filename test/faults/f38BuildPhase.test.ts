import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ExportedResource, MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf } from "../e2e/support/pulumiRun";
import { reconcileRun } from "../e2e/support/reconcileRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { signingByKey } from "./support/signedBundles";
import { Watch } from "./support/watch";

let mirror: MirrorUnderTest;
let digests: string;
const state = (): string => join(mirror.sandbox.folder, "pulumi");
/** Resources in the state. A run that only begins may put providers in another order. */
const kept = async (): Promise<readonly ExportedResource[]> =>
  (await mirror.exportState()).resources.toSorted((left, right) => (left.urn < right.urn ? -1 : 1));

beforeAll(async () => {
  digests = mkdtempSync(join(tmpdir(), "digests-"));
  mirror = await MirrorUnderTest.start({
    apps: tinyApp("1.0.0"),
  });
  mirror.configure({ attest: signingByKey(mirror) });
  expect(errorsOf(await mirror.up())).toBe("");
});

afterAll(async () => {
  await mirror?.stop();
  rmSync(digests, { recursive: true, force: true });
});

it("F38 a build phase told to keep a state leaves that as it is, and the next run goes on with it", async () => {
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  const watch = await Watch.begin(mirror);
  const before = await kept();
  const build = await reconcileRun(mirror, ["--phase", "build", "--digests", digests, "--state", state()]);
  expect([build.status, build.stdout]).toEqual([0, expect.stringContaining("1 built")]);
  expect(await kept()).toEqual(before);

  const publish = await reconcileRun(mirror, ["--phase", "publish", "--digests", digests, "--state", state()]);
  expect([publish.status, publish.stdout]).toEqual([0, expect.stringContaining("1 published")]);
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
  expect(changesOf(up)).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});

it("F38 the program itself refuses to be a build phase on a state that manages versions", async () => {
  const before = await kept();
  const build = await mirror.up({ environment: { MIRROR_PHASE: "build" }, through: "pulumi" });
  expect(build.exitCode).not.toBe(0);
  expect(errorsOf(build)).toMatch(/MIRROR_PHASE: "build"; the state of stack "test" keeps published versions/);
  expect(await kept()).toEqual(before);
});

it("restores a deleted tag of a version that was put together from what build runs handed over", async () => {
  const digest = await mirror.registry.digest("tiny", "1.1.0");
  await mirror.registry.regctl("tag", "delete", mirror.registry.name("tiny", "1.1.0"));
  const up = await mirror.up();
  expect(errorsOf(up)).toBe("");
  expect(await mirror.registry.digest("tiny", "1.1.0")).toBe(digest);
});

it("F38 a state that has lost resources its record names is mended: what is published is adopted, nothing is built", async () => {
  const watch = await Watch.begin(mirror);
  const exported = JSON.parse(await mirror.pulumi("stack", "export")) as {
    deployment: { resources: { urn: string; type: string; parent?: string }[] };
  };
  const lost = ["docker-build:index:Image", "docker-build:index:Index", "command:local:Command"];
  const { deployment } = exported;
  deployment.resources = deployment.resources.filter(({ type }) => !lost.includes(type));
  await mirror.importState(JSON.stringify(exported));
  mirror.mark();
  for (let run = 0; run < 2; run++) {
    const up = await mirror.up();
    expect(errorsOf(up)).toBe("");
    expect(changesOf(up)).toEqual([]);
  }
  expect(mirror.writes()).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});
