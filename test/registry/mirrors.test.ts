import { describe, expect, it } from "vitest";
import { readMirrors } from "../../components/registry/mirrors";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeRegistry } from "./fakeRegistry";

describe("readMirrors", () => {
  it("reads the environment variable, which an explicit map overrides", () => {
    const environment = { MIRROR_REGISTRY_MIRRORS: '{"docker.io":"localhost:5000/docker.io","ghcr.io":"m.example"}' };
    expect([...readMirrors(undefined, environment)]).toEqual([
      ["docker.io", { registry: "localhost:5000", prefix: "docker.io/" }],
      ["ghcr.io", { registry: "m.example", prefix: "" }],
    ]);
    expect([...readMirrors({}, environment)]).toEqual([]);
    expect([...readMirrors(undefined, {})]).toEqual([]);
  });

  it.each([
    "{",
    "[]",
    '{"docker.io":1}',
    '{"docker.io":"nohost/x"}',
    '{"docker.io":"m.example/../x"}',
    '{"a/b":"m.example"}',
  ])("refuses %j and says what is accepted", (text) => {
    expect(() => readMirrors(undefined, { MIRROR_REGISTRY_MIRRORS: text })).toThrow("accepted is a JSON object");
  });
});

describe("a client with a mirror", () => {
  it("reads Docker Hub's images from the mirror's folder and asks nobody else", async () => {
    const registry = await new FakeRegistry().start();
    const environment = { HOME: "/nonexistent", MIRROR_REGISTRY_MIRRORS: `{"docker.io":"${registry.host}/hub"}` };
    const client = new RegistryClient({ environment });
    try {
      const { digest } = registry.index("hub/library/python", "3.8", ["amd64"]);
      expect(await client.probe("python:3.8")).toMatchObject({ state: "present", digest });
      expect(await client.probe("python:3.9")).toEqual({ state: "absent" });
    } finally {
      await client.close();
      await registry.stop();
    }
  });
});
