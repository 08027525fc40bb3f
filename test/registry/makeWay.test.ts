import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWay } from "../../components/registry/makeWay";
import { RegistryClient } from "../../components/registry/registryClient";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { digestOf, error, imageType, WritableRegistry } from "../attest/writableRegistry";

const environment = { HOME: "/nonexistent" };
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const amd64 = { os: "linux", architecture: "amd64", features: ["sse4"] };

describe("making way for an index under a tag", () => {
  let registry: WritableRegistry;
  let client: RegistryClient;
  let writer: RegistryWriter;
  let reference: string;

  beforeEach(async () => {
    registry = await new WritableRegistry(false).start();
    client = new RegistryClient({ environment });
    writer = new RegistryWriter(environment);
    reference = `${registry.host}/o/a:1.0`;
    // As distribution 3 does.
    registry.rule = ({ method, path, headers }) => {
      const named = registry.manifests.get(`o/a ${path.slice(path.lastIndexOf("/") + 1)}`);
      const shown = named?.type !== dockerList || String(headers.accept).includes(dockerList);
      return method === "PUT" || shown ? undefined : { status: 400, body: error("MANIFEST_INVALID") };
    };
  });

  afterEach(async () => {
    await Promise.all([client.close(), writer.close()]);
    await registry.stop();
  });

  const image = (text: string): { mediaType: string; digest: string; size: number } => {
    const config = { ...registry.blob("o/a", "{}"), mediaType: "application/vnd.oci.image.config.v1+json" };
    const digest = registry.put("o/a", { config, layers: [registry.blob("o/a", text)] });
    return { mediaType: imageType, digest, size: 1 };
  };
  /** What the tag names is the list; `put` takes every index for one of OCI's. */
  const tagged = (value: object, type = dockerList): void => {
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, ...value }));
    for (const name of ["1.0", digestOf(body)]) registry.manifests.set(`o/a ${name}`, { type, body });
  };
  const named = (): { readonly type: string | undefined; readonly body: unknown } => {
    const { type, body } = registry.manifests.get("o/a 1.0") ?? {};
    return { type, body: JSON.parse(String(body)) };
  };
  const way = (next?: ReturnType<typeof digestOf>): Promise<void> => makeWay({ client, writer }, reference, next);

  it("names again by an OCI index all that exists of a Docker manifest list", async () => {
    const [first, second] = [
      { ...image("amd64"), platform: amd64 },
      { ...image("other"), annotations: { a: "b" } },
    ];
    const gone = { ...first, digest: digestOf(Buffer.from("gone")), platform: { os: "linux", architecture: "s390x" } };
    tagged({ manifests: [first, gone, second] });
    await way();
    const manifests = [first, second];
    expect(named()).toEqual({ type: ociIndex, body: { schemaVersion: 2, mediaType: ociIndex, manifests } });
  });

  it("writes the very bytes of the index that a floating tag is to name", async () => {
    tagged({ manifests: [{ ...image("old"), platform: amd64 }] });
    const next = registry.put("o/a", { manifests: [{ ...image("new"), platform: amd64 }] });
    await way(next);
    expect(digestOf(registry.manifests.get("o/a 1.0")!.body)).toBe(next);
  });

  it.each([
    ["is absent", () => undefined],
    ["names an OCI index", () => tagged({ manifests: [] }, ociIndex)],
    [
      "names a Docker list that the registry shows to builders",
      () => {
        tagged({ manifests: [{ ...image("amd64"), platform: amd64 }] });
        registry.rule = () => undefined;
      },
    ],
    [
      "names a list that the registry answers 403 for, which is the builder's to say",
      () => {
        tagged({ manifests: [{ ...image("amd64"), platform: amd64 }] });
        registry.rule = ({ method }) => (method === "HEAD" ? { status: 403, body: error("DENIED") } : undefined);
      },
    ],
  ])("leaves a tag alone that %s", async (_, given) => {
    given();
    await way();
    await way(registry.put("o/a", { manifests: [] }));
    expect(registry.writes).toEqual([]);
  });

  it("leaves a floating tag alone that names what it is to name", async () => {
    tagged({ manifests: [{ ...image("amd64"), platform: amd64 }] });
    await way(digestOf(registry.manifests.get("o/a 1.0")!.body));
    expect(registry.writes).toEqual([]);
  });
});
