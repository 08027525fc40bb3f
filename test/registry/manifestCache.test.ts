import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { countsReads } from "../../components/registry/manifestCache";
import { RegistryClient } from "../../components/registry/registryClient";
import { configType, errorBody, FakeRegistry } from "./fakeRegistry";

const image = (size: number) => ({
  config: { mediaType: configType, digest: `sha256:${"1".repeat(64)}`, size },
  layers: [],
});

describe("a registry that counts every GET of a manifest", () => {
  let registry: FakeRegistry;
  let folder: string;
  let digest: Digest;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "manifests-"));
    registry = await new FakeRegistry().start();
    digest = registry.manifest("o/a", image(1), { tag: "1" });
  });
  afterEach(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true });
  });

  /** What another run reads, and the methods of its requests. */
  async function read(name: string, counted = true) {
    const environment = { HOME: "/nonexistent", MIRROR_CACHE: folder };
    const client = new RegistryClient({ environment, countsReads: () => counted });
    const before = registry.requests.length;
    const manifest = await client.manifest(`${registry.host}/${name}`);
    await client.close();
    return { digest: manifest?.digest, methods: registry.requests.slice(before).map((line) => line.split(" ")[0]) };
  }

  it("is asked by HEAD for what was read before, by tag or by digest", async () => {
    expect(await read("o/a:1")).toEqual({ digest, methods: ["HEAD", "GET"] });
    expect(await read("o/a:1")).toEqual({ digest, methods: ["HEAD"] });
    expect(await read(`o/a@${digest}`)).toEqual({ digest, methods: ["HEAD"] });
  });

  it("is Docker Hub and no other", async () => {
    expect(["docker.io", "ghcr.io", "localhost:5000"].filter(countsReads)).toEqual(["docker.io"]);
    await read("o/a:1");
    expect((await read("o/a:1", false)).methods).toEqual(["GET"]);
  });

  it("is still the truth: what is gone is absent, and a tag that moved names what it names now", async () => {
    await read("o/a:1");
    const other = registry.manifest("o/a", image(2), { tag: "1" });
    expect((await read("o/a:1")).digest).toBe(other);
    registry.answer(/manifests/, { status: 404, ...errorBody("MANIFEST_UNKNOWN") });
    expect((await read("o/a:1")).digest).toBeUndefined();
    expect((await read(`o/a@${digest}`)).digest).toBeUndefined();
  });

  it("is asked anew when what was kept is damaged", async () => {
    await read("o/a:1");
    for (const name of readdirSync(join(folder, "manifests"))) writeFileSync(join(folder, "manifests", name), "{}");
    expect(await read("o/a:1")).toEqual({ digest, methods: ["HEAD", "GET"] });
  });
});
