import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import type { Configuration } from "../components/config/configuration";
import { openEdges } from "../components/openEdges";
import { openServices } from "../components/openServices";
import { pulumiHost } from "../components/pulumiHost";
import { FakeRegistry } from "./registry/fakeRegistry";

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

it("reads the labels of an image of a digest once and for all, those of a tag every time", async () => {
  const before = process.env["MIRROR_CACHE"];
  const folder = (process.env["MIRROR_CACHE"] = mkdtempSync(join(tmpdir(), "labels-")));
  const registry = await new FakeRegistry().start();
  try {
    const digest = registry.image("mirror/app", "amd64", { tag: "1.0.0", note: "kept" });
    const config = { registry: registry.host, namespace: "mirror", run: { phase: "all" } } as unknown as Configuration;
    const labels = async (reference: string): Promise<number> => {
      const asked = registry.requests.length;
      const edges = openEdges({ ...config, attest: { signing: { mode: "off" } } } as Configuration, pulumiHost());
      const found = await edges
        .plan(() => Promise.resolve(undefined))
        .labels(`${registry.host}/mirror/app${reference}`);
      expect(found["note"]).toBe("kept");
      await edges.registry.close();
      return registry.requests.length - asked;
    };
    expect([await labels(`@${digest}`), await labels(`@${digest}`)]).toEqual([2, 0]);
    for (const name of readdirSync(join(folder, "labels"))) writeFileSync(join(folder, "labels", name), '{"note":');
    expect(await labels(`@${digest}`)).toBe(2);
    expect([await labels(":1.0.0"), await labels(":1.0.0")]).toEqual([2, 2]);
  } finally {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env["MIRROR_CACHE"];
    else process.env["MIRROR_CACHE"] = before;
  }
});
