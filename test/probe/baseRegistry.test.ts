import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { baseRegistry } from "../../components/probe/baseRegistry";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeRegistry, imageType } from "../registry/fakeRegistry";
import { FakeClock } from "../support/fakeClock";

describe("a base image", () => {
  let registry: FakeRegistry;
  let client: RegistryClient;

  beforeEach(async () => {
    registry = await new FakeRegistry().start();
    client = new RegistryClient({ environment: { HOME: "/nonexistent" }, clock: new FakeClock() });
  });

  afterEach(async () => {
    await client.close();
    await registry.stop();
  });

  const lookUp = () => baseRegistry(client).lookUp(`${registry.host}/o/base:1`);

  it("is the index with the digest of each platform, and nothing is asked about its children", async () => {
    const { digest, children } = registry.index("o/base", "1", ["amd64", "arm64"]);
    const platforms = { "linux/amd64": children[0], "linux/arm64": children[1] };
    expect(await lookUp()).toEqual({ kind: "index", digest, platforms });
    expect(registry.requests).toHaveLength(1);
  });

  it("is an image of the platform its configuration names", async () => {
    const digest = registry.image("o/base", "arm64", { tag: "1" });
    expect(await lookUp()).toEqual({ kind: "image", digest, platforms: { "linux/arm64": digest } });
  });

  it("has the platforms its children's configurations name, where the index names none, and never an attestation's", async () => {
    const [amd64, arm64] = ["amd64", "arm64"].map((name) => registry.image("o/base", name));
    const child = { mediaType: imageType, size: 1 };
    const attestation = {
      ...{ ...child, digest: amd64, platform: { os: "linux", architecture: "s390x" } },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    };
    const manifests = [attestation, { ...child, digest: amd64 }, { ...child, digest: arm64 }];
    registry.manifest("o/base", { manifests }, { tag: "1" });
    expect(await lookUp()).toMatchObject({ platforms: { "linux/amd64": amd64, "linux/arm64": arm64 } });
    expect(await lookUp()).not.toHaveProperty("platforms.linux/s390x");
  });

  it("is absent only where the registry says so, and in doubt asked for again", async () => {
    const bases = baseRegistry(client);
    const reference = `${registry.host}/o/base:1`;
    registry.answer(/manifests/, { status: 403 }, 1);
    await expect(bases.lookUp(reference)).rejects.toMatchObject({ kind: "authorisation" });
    expect(await bases.lookUp(reference)).toBeUndefined();
  });
});
