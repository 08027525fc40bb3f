import { afterEach, expect, it, vi } from "vitest";
import type { Configuration } from "../components/config/configuration";
import { openEdges } from "../components/openEdges";
import { openServices } from "../components/openServices";
import { pulumiHost } from "../components/pulumiHost";

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
