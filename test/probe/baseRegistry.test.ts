import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { baseRegistry } from "../../components/probe/baseRegistry";
import { RegistryClient } from "../../components/registry/registryClient";
import { configType, errorBody, FakeRegistry, imageType } from "../registry/fakeRegistry";
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

  const open = (privateBases: readonly string[] = []) => {
    const anonymous = new RegistryClient({ environment: {}, clock: new FakeClock(), anonymous: true });
    const access = { registry: registry.host, namespace: "mirror", privateBases };
    return baseRegistry({ own: client, anonymous }, access);
  };
  const lookUp = () => open().lookUp(`${registry.host}/o/base:1`);

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
    const bases = open();
    const reference = `${registry.host}/o/base:1`;
    registry.answer(/manifests/, { status: 403 }, 1);
    await expect(bases.lookUp(reference)).rejects.toMatchObject({ kind: "authorisation" });
    expect(await bases.lookUp(reference)).toBeUndefined();
  });

  it("may be used where anybody can read it, and nowhere else unless the app lists it", async () => {
    const digest = registry.image("o/base", "arm64", { tag: "1" });
    const reference = `${registry.host}/o/base@${digest}`;
    expect(await open().refusal(reference)).toBeUndefined();
    const challenge = { "www-authenticate": "Basic realm=x" };
    registry.rule(({ authorization }) =>
      authorization === undefined ? { status: 401, ...errorBody("UNAUTHORIZED"), headers: challenge } : undefined,
    );
    expect(await open().refusal(reference)).toMatch(/nobody can read it .*`privateBases`/);
    expect(await open([`${registry.host}/o/other`]).refusal(reference)).toMatch(/nobody can read it/);
    expect(await open([`${registry.host}/o/base`]).refusal(reference)).toBeUndefined();
  });

  it("may not be used when strangers are told that it does not exist, or nothing", async () => {
    const reference = `${registry.host}/o/base@sha256:${"a".repeat(64)}`;
    expect(await open().refusal(reference)).toMatch(/does not exist; .*`privateBases`/);
    registry.answer(/manifests/, { status: 400 });
    await expect(open().refusal(reference)).rejects.toThrow(/cannot be told whether anybody can read it: .*status 400/);
  });

  it.each(["mirror/app", "mirror/a/b"])("of the mirror's own is refused, listed or not: %s", async (repository) => {
    const digest = registry.image(repository, "arm64");
    const bases = open([`${registry.host}/${repository}`]);
    expect(await bases.refusal(`${registry.host}/${repository}@${digest}`)).toMatch(/mirror's own; .*`bases`/);
    expect(registry.requests).toEqual([]);
  });

  it("tells the instructions a build on it begins with", async () => {
    const body = JSON.stringify({ os: "linux", architecture: "arm64", config: { OnBuild: ["COPY --from=x / /"] } });
    const config = { mediaType: configType, digest: registry.blob("o/base", body), size: body.length };
    const digest = registry.manifest("o/base", { config, layers: [] });
    expect(await open().image(`${registry.host}/o/base@${digest}`)).toMatchObject({ triggers: ["COPY --from=x / /"] });
  });
});
