import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegistryClient, type RegistryClientOptions } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { errorBody, FakeRegistry } from "./fakeRegistry";

let registry: FakeRegistry;
let clock: FakeClock;
let client: RegistryClient;

function use(options: RegistryClientOptions = {}): void {
  client = new RegistryClient({ environment: { HOME: "/nonexistent" }, clock, ...options });
}

beforeEach(async () => {
  registry = await new FakeRegistry().start();
  registry.index("o/a", "1", []);
  clock = new FakeClock();
  use();
});

afterEach(async () => {
  await client.close();
  await registry.stop();
});

const total = (): number => clock.slept.reduce((sum, each) => sum + each, 0);

describe("retrying", () => {
  it.each([
    ["500", { status: 500 }],
    ["502", { status: 502, body: "<html>" }],
    ["504", { status: 504 }],
    ["408", { status: 408 }],
    ["a reset connection", { fault: "reset" }],
    ["a body cut off", { fault: "cut", body: "x".repeat(1000) }],
  ] as const)("succeeds after %s three times", async (_, reply) => {
    registry.answer(/manifests/, reply, 3);
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "present" });
    expect(registry.requests).toHaveLength(4);
  });

  it("waits at least as long as a 429 asks for", async () => {
    registry.answer(/manifests/, { status: 429, headers: { "retry-after": "7" } }, 3);
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "present" });
    expect(total()).toBeGreaterThanOrEqual(21_000);
    expect(registry.requests).toHaveLength(4);
  });

  it("understands a Retry-After that is a date", async () => {
    const date = "Sat, 21 Nov 2026 08:00:00 GMT";
    const headers = { date, "retry-after": "Sat, 21 Nov 2026 08:00:20 GMT" };
    registry.answer(/manifests/, { status: 503, headers }, 1);
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "present" });
    expect(total()).toBeGreaterThanOrEqual(20_000);
  });

  it("ends in rate-limited, within its budget, when a 429 stays for ever", async () => {
    registry.answer(/manifests/, { status: 429, headers: { "retry-after": "5" } });
    const probe = await client.probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject({ state: "unknown", cause: "rate-limited" });
    expect(total()).toBeLessThanOrEqual(60_000);
    expect(total()).toBeGreaterThan(30_000);
  });

  it("does not wait at all for longer than the budget", async () => {
    registry.answer(/manifests/, { status: 429, headers: { "retry-after": "3600" } });
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ cause: "rate-limited" });
    expect(clock.slept).toEqual([]);
    expect(registry.requests).toHaveLength(1);
  });

  it("tries five times when the far end is broken, and says so", async () => {
    registry.answer(/manifests/, { status: 500 });
    const reason = expect.stringContaining("after 5 tries") as string;
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "unknown", cause: "outage", reason });
    expect(registry.requests).toHaveLength(5);
  });

  it("does not retry what will not change", async () => {
    registry.answer(/manifests/, { status: 403, ...errorBody("DENIED") });
    await client.probe(`${registry.host}/o/a:1`);
    expect(registry.requests).toHaveLength(1);
  });

  it("holds other requests back too while the registry wants to be left alone", async () => {
    registry.answer(/manifests\/2/, { status: 429, headers: { "retry-after": "50" } });
    await client.probe(`${registry.host}/o/a:2`);
    const [before, requests] = [total(), registry.requests.length];
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "present" });
    expect(total() - before).toBeGreaterThan(40_000);
    expect(registry.requests).toHaveLength(requests + 1);
  });

  it("stops asking a registry that answers nobody, and asks it again later", async () => {
    use({ concurrency: 4 });
    registry.answer(/manifests/, { status: 500 });
    const names = Array.from({ length: 100 }, (_, position) => `${registry.host}/o/a:${position}`);
    const probes = await Promise.all(names.map((name) => client.probe(name)));
    expect(probes.every((probe) => probe.state === "unknown" && probe.cause === "outage")).toBe(true);
    const asked = registry.requests.length;
    const late = await client.probe(names[0] ?? "");
    expect(late).toMatchObject({ cause: "outage", reason: expect.stringContaining("not asked") as string });
    expect(registry.requests).toHaveLength(asked);
    registry.answer(/manifests/, { status: 404, ...errorBody("MANIFEST_UNKNOWN") });
    clock.time += 61_000;
    expect(await client.probe(names[0] ?? "")).toEqual({ state: "absent" });
  });

  it("keeps asking about others when a single reference is broken", async () => {
    use({ concurrency: 2 });
    registry.answer(/manifests\/broken/, { status: 500 });
    for (let round = 1; round <= 3; round++) {
      expect(await client.probe(`${registry.host}/o/a:broken`)).toMatchObject({ cause: "outage" });
      expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ state: "present" });
    }
  });

  it("keeps to its concurrency", async () => {
    use({ concurrency: 3 });
    registry.delayMs = 5;
    await Promise.all(Array.from({ length: 40 }, () => client.probe(`${registry.host}/o/a:1`)));
    expect(registry.mostAtOnce).toBeLessThanOrEqual(3);
    expect(registry.mostAtOnce).toBeGreaterThan(1);
  });
});
