import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { digestOf, FakeRegistry, imageType, indexType } from "./fakeRegistry";

const linux = (architecture: string) => ({ os: "linux", architecture });
const gone = digestOf("gone");

describe("an index that is not as build tools write it today", () => {
  let registry: FakeRegistry;
  let client: RegistryClient;
  let amd64: Digest;
  let arm64: Digest;
  let artifact: Digest;

  beforeEach(async () => {
    registry = await new FakeRegistry().start();
    client = new RegistryClient({ environment: { HOME: "/nonexistent" }, clock: new FakeClock() });
    amd64 = registry.image("o/a", "amd64");
    arm64 = registry.image("o/a", "arm64");
    const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };
    artifact = registry.manifest("o/a", { artifactType: "a/b", config: empty, layers: [] });
  });

  afterEach(async () => {
    await client.close();
    await registry.stop();
  });

  const child = (digest: string, more: object = {}) => ({ mediaType: imageType, digest, size: 1, ...more });
  const probeOf = (manifests: readonly object[] | null, more: object = {}) => {
    registry.manifest("o/a", { manifests, ...more }, { tag: "1" });
    return client.probe(`${registry.host}/o/a:1`);
  };

  it("is read by its children's configurations where it names no platforms", async () => {
    const probe = await probeOf([
      child(amd64),
      child(arm64, { platform: { os: "", architecture: "" } }),
      child(artifact),
    ]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64, "linux/arm64": arm64 }, others: [artifact] });
    expect(probe).not.toHaveProperty("rewriteLoses");
  });

  it("is in doubt when the configuration of such a child cannot be read", async () => {
    registry.answer(/blobs/, { status: 403 });
    expect(await probeOf([child(amd64)])).toMatchObject({ state: "unknown", cause: "authorisation" });
  });

  it.each([
    ["an artifact", { artifactType: "application/vnd.example.sbom" }],
    ["an attestation", { annotations: { "vnd.docker.reference.type": "attestation-manifest" } }],
  ])("lists %s with a platform before the image: never the image", async (_, more) => {
    const probe = await probeOf([
      child(artifact, { platform: linux("amd64"), ...more }),
      child(amd64, { platform: linux("amd64") }),
      child(arm64, { platform: linux("s390x"), ...more }),
    ]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64 }, lost: {}, others: [artifact, arm64] });
    expect(probe).not.toHaveProperty("platforms.linux/s390x");
  });

  it("spells platforms in its own way", async () => {
    const arm = registry.image("o/a", "arm");
    const probe = await probeOf([
      child(amd64, { platform: { os: "Linux", architecture: "amd64", variant: "v1" } }),
      child(arm64, { platform: { os: "linux", architecture: "aarch64", variant: "8" } }),
      child(arm, { platform: linux("arm") }),
    ]);
    const platforms = { "linux/amd64": amd64, "linux/arm64": arm64, "linux/arm/v7": arm };
    expect(probe).toMatchObject({ platforms });
  });

  it("holds an index: its platforms exist, but cannot be pulled", async () => {
    const inner = registry.manifest("o/a", {
      manifests: [child(arm64, { platform: linux("arm64") }), child(artifact)],
    });
    const nested = { mediaType: indexType, digest: inner, size: 1 };
    const probe = await probeOf([child(amd64, { platform: linux("amd64") }), nested]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64 }, misdescribed: { "linux/arm64": arm64 } });
    expect(probe).toMatchObject({ others: [artifact] });
    expect(probe).not.toHaveProperty("platforms.linux/arm64");
  });

  it("holds an index of indexes, which nobody understands: unknown, never without platforms", async () => {
    const inner = registry.manifest("o/a", { manifests: [child(amd64, { platform: linux("amd64") })] });
    const outer = registry.manifest("o/a", { manifests: [{ mediaType: indexType, digest: inner, size: 1 }] });
    const probe = await probeOf([{ mediaType: indexType, digest: outer, size: 1 }]);
    expect(probe).toMatchObject({
      state: "unknown",
      cause: "malformed",
      reason: expect.stringContaining(inner) as string,
    });
  });

  it.each(["application/json", "application/octet-stream", "text/plain; charset=utf-8"])(
    "comes as %s and does not say what it is: read by its shape",
    async (type) => {
      const body = JSON.stringify({ schemaVersion: 2, manifests: [child(amd64, { platform: linux("amd64") })] });
      registry.answer(/GET .*manifests\/1$/, { status: 200, body, headers: { "content-type": type } });
      const probe = await client.probe(`${registry.host}/o/a:1`);
      expect(probe).toMatchObject({ digest: digestOf(body), platforms: { "linux/amd64": amd64 } });
    },
  );

  it("lists null: it is empty", async () => {
    expect(await probeOf(null)).toMatchObject({ state: "present", platforms: {}, lost: {}, others: [] });
  });

  it("has a child by another digest than SHA-256: only that child cannot be checked", async () => {
    const sha512 = `sha512:${"a".repeat(128)}`;
    const probe = await probeOf([
      child(sha512, { platform: linux("arm64") }),
      child(amd64, { platform: linux("amd64") }),
    ]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64 }, lost: {} });
    expect(probe).toHaveProperty("rewriteLoses", [expect.stringMatching(/^linux\/arm64 with the digest "sha512:a/)]);
  });

  it("is malformed with a digest that is none", async () => {
    expect(await probeOf([child("sha256:abc")])).toMatchObject({ state: "unknown", cause: "malformed" });
  });

  it("lists a platform twice: the first counts, and it is said", async () => {
    const second = registry.image("o/a", "amd64", { note: "2" });
    const platform = linux("amd64");
    const probe = await probeOf([child(amd64, { platform }), child(second, { platform })]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64 }, further: [second] });
    expect(probe).toHaveProperty("remarks", [`it lists 2 manifests for linux/amd64: ${amd64} counts`]);
  });

  it("lists a platform twice and the first is lost, which clients take: it cannot be pulled", async () => {
    const platform = linux("amd64");
    const probe = await probeOf([child(gone, { platform }), child(amd64, { platform })]);
    expect(probe).toMatchObject({ platforms: {}, lost: {}, misdescribed: { "linux/amd64": amd64 } });
    expect(probe).toHaveProperty("remarks", [expect.stringContaining("the first, which clients take, is gone")]);
  });

  it("lists what is no image and is gone: it is said", async () => {
    const probe = await probeOf([
      child(amd64, { platform: linux("amd64") }),
      child(gone, { platform: linux("unknown") }),
    ]);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": amd64 }, lost: {}, gone: [gone] });
    expect(probe).toHaveProperty("remarks", [expect.stringContaining(gone)]);
  });

  it("lists one manifest for two platforms: one of them would be lost when it is written anew", async () => {
    const arm = registry.image("o/a", "arm");
    const probe = await probeOf(["v6", "v7"].map((variant) => child(arm, { platform: { ...linux("arm"), variant } })));
    expect(probe).toMatchObject({ platforms: { "linux/arm/v6": arm, "linux/arm/v7": arm } });
    expect(probe).toHaveProperty("rewriteLoses", [
      `one of linux/arm/v6, linux/arm/v7, which share the manifest ${arm}`,
    ]);
  });

  it.each([
    ["a subject", { subject: child(gone) }, "its subject"],
    ["an artifactType", { artifactType: "a/b" }, "its artifactType"],
    ["annotations", { annotations: { "org.example.key": "x" } }, 'its annotations ["org.example.key"]'],
  ])("has %s, which would be lost when it is written anew", async (_, more, lost) => {
    const probe = await probeOf([child(amd64, { platform: linux("amd64") })], more);
    expect(probe).toHaveProperty("rewriteLoses", [lost]);
  });

  it("is an image whose configuration has no type of its own, as Docker wrote once", async () => {
    const config = JSON.stringify({ os: "linux", architecture: "amd64" });
    const descriptor = (body: string) => ({
      mediaType: "application/octet-stream",
      digest: registry.blob("o/a", body),
      size: body.length,
    });
    const digest = registry.manifest("o/a", { config: descriptor(config), layers: [] }, { tag: "1" });
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({ platforms: { "linux/amd64": digest } });
    registry.manifest("o/a", { config: descriptor("MZ"), layers: [] }, { tag: "2" });
    const reason = expect.stringMatching(/application\/octet-stream.*not an image configuration/) as string;
    expect(await client.probe(`${registry.host}/o/a:2`)).toMatchObject({ state: "unknown", reason });
  });

  it("names Docker's first kind of manifest for what it is", async () => {
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    registry.answer(/manifests/, { status: 200, body: '{"schemaVersion":1}', headers: { "content-type": type } });
    const reason = expect.stringContaining("manifest.v1+prettyjws") as string;
    expect(await client.probe(`${registry.host}/o/a:1`)).toMatchObject({
      state: "unknown",
      reason,
      cause: "malformed",
    });
  });

  it("needs no question beyond those about existence when it is as usual", async () => {
    await probeOf([child(amd64, { platform: linux("amd64") }), child(arm64, { platform: linux("arm64") })]);
    expect(registry.requests).toHaveLength(3);
  });
});
