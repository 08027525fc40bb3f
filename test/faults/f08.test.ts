import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FaultRule } from "../../tools/sandbox/faultRule";
import type { LoggedRequest } from "../../tools/sandbox/requestLog";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { Watch } from "./support/watch";

const uploads: FaultRule = { part: "registry", method: "POST|PATCH|PUT", path: "/blobs/uploads/" };
const manifests: FaultRule = { part: "registry", method: "PUT", path: "/manifests/" };
const images: FaultRule = { part: "registry", method: "PUT", path: "/manifests/sha256:" };
const refusal = (code: string) => ({ errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] });

describe("the registry is busy or its connections are bad", () => {
  let mirror: MirrorUnderTest;
  let watch: Watch;
  /** Every test has an app of its own, which neither registry nor builder has seen. */
  let app: string;
  let apps = 0;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({ apps: () => ({}) });
  });
  afterAll(() => mirror?.stop());
  beforeEach(async () => {
    app = `tiny${(apps += 1)}`;
    await tinyUpstream(mirror.sandbox, app, [{ version: "1.0.0" }]);
    mirror.setApps({ [app]: tinyAppFile(mirror.sandbox, app) });
    await mirror.loseState();
    watch = await Watch.begin(mirror, [app]);
  });

  /** Runs under rules, each of which has to act. */
  async function upWith(...rules: readonly FaultRule[]): Promise<PulumiRun> {
    mirror.sandbox.setRules(rules);
    const run = await mirror.up();
    for (const { rule, used } of mirror.sandbox.ruleStatus()) expect(used, JSON.stringify(rule)).toBeGreaterThan(0);
    mirror.sandbox.clearRules();
    return run;
  }
  async function expectPublished(run: PulumiRun): Promise<void> {
    expect(run.exitCode, run.output).toBe(0);
    expect(await mirror.registry.tags(app)).toEqual(["1.0.0", "latest"]);
    const { digest, platforms } = await mirror.registry.index(app, "1.0.0");
    expect(Object.keys(platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
    expect(run.outputs.published?.[app]?.versions["1.0.0"]).toMatchObject({ digest, platforms });
    await mirror.registry.pull(app, "1.0.0");
    expect(await watch.damage()).toEqual([]);
  }
  /** The version has no tag at all, or a whole index. */
  async function expectNothingHalf(run: PulumiRun): Promise<void> {
    expect(run.exitCode, run.output).toBeGreaterThan(0);
    expect(run.outputs.missing).toEqual([`${app} 1.0.0`]);
    expect(await mirror.registry.tags(app)).toEqual([]);
    expect(await watch.damage()).toEqual([]);
  }
  const clean = async (): Promise<void> => expectPublished(await mirror.up());

  it("F08 waits as 429 tells it when it probes and when it pushes, and publishes", async () => {
    const busy = { status: 429, headers: { "Retry-After": "1" }, times: 3 };
    const probes = { part: "registry", method: "GET", path: "/manifests/1\\.0\\.0$", ...busy } as const;
    const run = await upWith(probes, { ...uploads, ...busy, method: "POST" }, { ...manifests, ...busy });
    await expectPublished(run);
    const asked = watch.log.filter(({ method, path }) => method === "GET" && path.endsWith("/manifests/1.0.0"));
    expect(asked.slice(0, 4).map(({ status }) => status)).toEqual([429, 429, 429, 404]);
    expect(Math.min(...gaps(asked.slice(0, 4)))).toBeGreaterThanOrEqual(990);
  });

  it("F08 gives up after a while when 429 never ends, with nothing tagged, and the next run publishes", async () => {
    const busy = { status: 429, headers: { "Retry-After": "1" } };
    const probed = await upWith({ part: "registry", method: "GET|HEAD", path: "/manifests/", ...busy });
    expect(probed.output).toContain("the registry gave no usable answer (rate-limited)");
    expect(changesOf(probed)).toEqual([]);
    await expectNothingHalf(probed);
    await expectNothingHalf(await upWith({ ...manifests, ...busy }));
    await clean();
  });

  it.each([
    ["an upload", { ...uploads, method: "PATCH|PUT", status: 404, body: refusal("BLOB_UPLOAD_UNKNOWN") }],
    [
      "the beginning of one",
      { ...uploads, method: "POST", skip: 1, status: 404, body: refusal("BLOB_UPLOAD_UNKNOWN") },
    ],
    ["a layer", { ...images, status: 404, body: refusal("MANIFEST_BLOB_UNKNOWN") }],
    ["a layer it is still writing", { ...images, status: 400, body: refusal("BLOB_UNKNOWN") }],
  ] satisfies readonly (readonly [string, FaultRule])[])(
    "F08 fails one version at most when a registry of several machines has forgotten %s, and the next run publishes it",
    async (_, rule) => {
      await tinyUpstream(mirror.sandbox, app, [{ version: "1.1.0" }]);
      const run = await upWith({ ...rule, times: 1 });
      expect((run.outputs.missing ?? []).length).toBeLessThanOrEqual(1);
      expect(await watch.damage()).toEqual([]);
      expect((await mirror.up()).exitCode).toBe(0);
      expect(await mirror.registry.tags(app)).toEqual(["1.0.0", "1.1.0", "latest"]);
      for (const version of ["1.0.0", "1.1.0"]) await mirror.registry.pull(app, version);
    },
  );

  it("F09 publishes the right digest although every other write of a manifest is answered 504", async () => {
    await expectPublished(await upWith({ ...manifests, every: 2, status: 504 }));
  });

  it("F09 does so too when the write was carried out all the same", async () => {
    await expectPublished(await upWith({ ...manifests, every: 2, status: 504, forward: true }));
  });

  it("F10 publishes over connections that are cut in the middle of a layer and let 1 kB a second through", async () => {
    const cut = { method: "PATCH|PUT", cut: { requestBytes: 40 }, times: 1 };
    await expectPublished(await upWith({ ...uploads, ...cut }, { ...uploads, bytesPerSecond: 1_000 }));
  });

  it("F10 fails without a tag when every upload is cut, and the next run publishes", async () => {
    await expectNothingHalf(await upWith({ ...uploads, method: "PATCH|PUT", cut: { requestBytes: 40 } }));
    await clean();
  });

  it("F10 does not tag an image whose layers cannot be read back whole, and the next run does", async () => {
    const reads = { part: "registry", method: "GET", path: "/blobs/", cut: { responseBytes: 40 } } as const;
    await expectNothingHalf(await upWith(reads));
    await clean();
  });
});

/** Milliseconds between requests, from the end of one to the beginning of the next. */
function gaps(log: readonly LoggedRequest[]): readonly number[] {
  return log.slice(1).map(({ time }, position) => {
    const before = log[position]!;
    return Date.parse(time) - Date.parse(before.time) - before.milliseconds;
  });
}
