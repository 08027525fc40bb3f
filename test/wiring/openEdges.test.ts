import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PlanEdges } from "../../components/plan/planEdges";
import type { Platform } from "../../components/model/platform";
import type { Configuration } from "../../components/config/configuration";
import { openEdges } from "../../components/wiring/openEdges";
import { openServices } from "../../components/wiring/openServices";
import { pulumiHost } from "../../components/wiring/pulumiHost";
import { errorBody, FakeRegistry } from "../registry/fakeRegistry";

afterEach(() => vi.useRealTimers());

it("counts everything of a run from one moment, however late it is asked for", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-01T00:00:00Z") });
  const config = {
    registry: "localhost",
    namespace: "mirror",
    run: { phase: "all" },
    attest: { signing: { mode: "off" } },
  } as unknown as Configuration;
  const host = pulumiHost();
  const edges = openEdges(config, host);
  vi.setSystemTime(new Date("2026-01-01T00:10:00Z"));
  const { now } = edges.plan(() => Promise.resolve(undefined));
  const { attest, run } = openServices(config, edges, host)(() => undefined);
  const startedOn = "2026-01-01T00:00:00.000Z";
  expect([now.toISOString(), run.run.startedOn, attest.startedOn]).toEqual([startedOn, startedOn, startedOn]);
  await edges.registry.close();
});

/** Edges of a run that signs nothing, and what processes of its own are made ready for. */
function opened(beforeBuild: (repository: string) => Promise<void>) {
  const config = { registry: "localhost", namespace: "mirror", run: { phase: "all" }, apps: new Map() };
  const host = { ...pulumiHost(), beforeBuild };
  const settled = { ...config, attest: { signing: { mode: "off" } } } as unknown as Configuration;
  const edges = openEdges(settled, host);
  const ready = vi.spyOn(edges.isolation, "ready").mockResolvedValue();
  return { edges, ready, services: openServices(settled, edges, host)(() => undefined) };
}

it("asks whether it may write, and has the reader of Dockerfiles ready, while upstream's files are read", async () => {
  const beforeBuild = vi.fn(async () => Promise.reject(new Error("nobody may write")));
  const { edges, ready } = opened(beforeBuild);
  const request = {
    specification: { name: "app", source: { kind: "gitTags", url: "http://127.0.0.1:1/app.git" } },
    settings: {},
    release: { version: "1.0.0", tag: "v1.0.0", commit: "0".repeat(40) },
    platforms: ["linux/amd64", "linux/arm64"],
  } as unknown as Parameters<PlanEdges["prepare"]>[0];
  const { prepare } = edges.plan(() => Promise.resolve(undefined));
  // Why it cannot be built at all comes first.
  await expect(prepare(request)).rejects.toThrow("git fetch");
  expect(beforeBuild.mock.calls).toEqual([["localhost/mirror/app"]]);
  expect(ready.mock.calls).toEqual([
    ["app", "dockerfile/images.ts"],
    ["app", "dockerfile/images.ts"],
  ]);
  await edges.registry.close();
});

it("has the check of an image ready while that is built", async () => {
  const { edges, ready, services } = opened(async () => undefined);
  await services.inTurn("app", async () => expect(ready.mock.calls).toEqual([["app", "check/inspectImage.ts"]]));
  expect(ready).toHaveBeenCalledOnce();
  await edges.registry.close();
});

describe("what never changes", () => {
  const before = process.env["MIRROR_CACHE"];
  let folder: string;
  let registry: FakeRegistry;
  beforeEach(async () => {
    folder = process.env["MIRROR_CACHE"] = mkdtempSync(join(tmpdir(), "kept-"));
    registry = await new FakeRegistry().start();
  });
  afterEach(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MIRROR_CACHE"];
    else process.env["MIRROR_CACHE"] = before;
  });

  /** What a run of its own is told, and how many requests that took. */
  async function asked<T>(ask: (edges: PlanEdges) => Promise<T>): Promise<readonly [T, number]> {
    const requests = registry.requests.length;
    const config = { registry: registry.host, namespace: "mirror", run: { phase: "all" } } as unknown as Configuration;
    const edges = openEdges({ ...config, attest: { signing: { mode: "off" } } } as Configuration, pulumiHost());
    const told = await ask(edges.plan(() => Promise.resolve(undefined)));
    await edges.registry.close();
    return [told, registry.requests.length - requests];
  }
  function spoil(kind: string): void {
    for (const name of readdirSync(join(folder, kind))) writeFileSync(join(folder, kind, name), '["note":');
  }

  it("is read once of what an image says of itself by digest, and every time by a tag", async () => {
    const digest = registry.image("mirror/app", "amd64", { tag: "1.0.0", note: "kept" });
    const said = async (reference: string): Promise<number> => {
      const [found, requests] = await asked((edges) => edges.said(`${registry.host}/mirror/app${reference}`));
      expect(found).toMatchObject({ platform: "linux/amd64", labels: { note: "kept" } });
      return requests;
    };
    expect([await said(`@${digest}`), await said(`@${digest}`)]).toEqual([2, 0]);
    spoil("images");
    expect(await said(`@${digest}`)).toBe(2);
    expect([await said(":1.0.0"), await said(":1.0.0")]).toEqual([2, 2]);
  });

  it("is read once of what does not fit in an image, for each platform, and again where it could not be read", async () => {
    const digest = registry.image("upstream/app", "amd64", { tag: "1.0.0" });
    const misfits = (platform: Platform) =>
      asked((edges) => edges.misfits("app", { repository: `${registry.host}/upstream/app`, digest, platform }));
    const wrong = ["the image configuration names the platform linux/amd64, wanted is linux/arm64"];
    registry.answer(/GET .*\/manifests\//, { status: 403, ...errorBody("DENIED") }, 1);
    expect((await misfits("linux/arm64"))[0]).toEqual([]);
    const [first, requests] = await misfits("linux/arm64");
    expect(first).toEqual(wrong);
    expect(requests).toBeGreaterThan(0);
    expect(await misfits("linux/arm64")).toEqual([wrong, 0]);
    expect((await misfits("linux/amd64"))[0]).toEqual([]);
    expect(await misfits("linux/amd64")).toEqual([[], 0]);
    spoil("programs");
    expect((await misfits("linux/arm64"))[0]).toEqual(wrong);
  });
});
