import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyImage } from "../../components/attest/copyContent";
import type { Digest } from "../../components/model/digest";
import { RegistryClient } from "../../components/registry/registryClient";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { error, WritableRegistry } from "./writableRegistry";

let upstream: WritableRegistry;
let mirror: WritableRegistry;
let image: Digest;
const layer = "x".repeat(3_000_000);

beforeEach(async () => {
  upstream = await new WritableRegistry(false).start();
  mirror = await new WritableRegistry(false).start();
  const config = upstream.blob("upstream/app", '{"os":"linux"}');
  image = upstream.put("upstream/app", { config, layers: [upstream.blob("upstream/app", layer)] });
});
afterEach(() => Promise.all([upstream.stop(), mirror.stop()]));

async function copy(): Promise<void> {
  const environment = { PATH: process.env["PATH"], HOME: "/nonexistent" };
  const edges = { reader: new RegistryClient({ environment }), writer: new RegistryWriter(environment) };
  try {
    await copyImage(image, { from: `${upstream.host}/upstream/app`, to: `${mirror.host}/mirror/app` }, edges);
  } finally {
    await Promise.all([edges.reader.close(), edges.writer.close()]);
  }
}

describe("bringing an image into the repository", () => {
  it("copies it by digest, under no tag, and nothing of it a second time", async () => {
    await copy();
    expect([...mirror.manifests.keys()]).toEqual([`mirror/app ${image}`]);
    expect([...mirror.blobs.values()].map(({ length }) => length)).toEqual([14, layer.length]);
    const { length } = mirror.writes;
    await copy();
    expect(mirror.writes).toHaveLength(length);
  });

  it("reads a layer anew for another try of its upload", async () => {
    let refused = 0;
    mirror.rule = ({ method, body }) =>
      method === "PUT" && body.length === layer.length && refused++ === 0 ? { status: 503 } : undefined;
    await copy();
    expect(refused).toBe(2);
    expect(mirror.manifests.has(`mirror/app ${image}`)).toBe(true);
  });

  it("writes no manifest when a layer is not what its digest says", async () => {
    const key = [...upstream.blobs.keys()].at(-1) ?? "";
    upstream.blobs.set(key, Buffer.from("y".repeat(layer.length)));
    await expect(copy()).rejects.toThrow(/sha256:/);
    expect(mirror.manifests.size).toBe(0);
  });

  it("says that upstream has taken it away", async () => {
    upstream.rule = ({ path }) =>
      path.includes("/manifests/") ? { status: 404, body: error("MANIFEST_UNKNOWN") } : undefined;
    await expect(copy()).rejects.toThrow(
      `${upstream.host}/upstream/app@${image}, which is to be copied, does not exist`,
    );
  });
});
