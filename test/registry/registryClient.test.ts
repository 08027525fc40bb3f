import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { RegistryClient, type RegistryClientOptions } from "../../components/registry/registryClient";
import { RegistryError } from "../../components/registry/registryError";
import { FakeClock } from "../support/fakeClock";
import { configType, digestOf, errorBody, FakeRegistry, imageType, indexType } from "./fakeRegistry";

let registry: FakeRegistry;
let clock: FakeClock;
const clients: RegistryClient[] = [];

beforeEach(async () => {
  registry = await new FakeRegistry().start();
  clock = new FakeClock();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await registry.stop();
});

function client(options: RegistryClientOptions = {}): RegistryClient {
  const made = new RegistryClient({ environment: { HOME: "/nonexistent" }, clock, ...options });
  clients.push(made);
  return made;
}

const unknown = (cause: string, reason: string | RegExp = "") => ({
  state: "unknown",
  cause,
  reason: expect.stringMatching(reason) as string,
});

describe("exists", () => {
  it("costs one HEAD when the manifest is there, and tells absence from trouble", async () => {
    registry.index("o/a", "1", ["amd64"]);
    const made = client();
    expect(await made.exists(`${registry.host}/o/a:1`)).toBe(true);
    expect(registry.requests).toEqual(["HEAD /v2/o/a/manifests/1"]);
    expect(await made.exists(`${registry.host}/o/a:2`)).toBe(false);
    registry.answer(/manifests/, { status: 404 });
    await expect(made.exists(`${registry.host}/o/a:1`)).rejects.toBeInstanceOf(RegistryError);
  });

  it("does not believe a page that answers HEAD with 200", async () => {
    registry.answer(/manifests/, { status: 200, body: "<html>", headers: { "content-type": "text/html" } });
    await expect(client().exists(`${registry.host}/o/a:1`)).rejects.toMatchObject({ kind: "malformed" });
  });
});

describe("manifest", () => {
  it("gives the very bytes, their digest, media type and descriptors", async () => {
    const { digest, children } = registry.index("o/a", "1", ["amd64", "arm64"]);
    const manifest = await client().manifest(`${registry.host}/o/a:1`);
    expect(manifest).toMatchObject({ kind: "index", digest, mediaType: indexType });
    expect(manifest && digestOf(manifest.bytes)).toBe(digest);
    expect(manifest?.kind === "index" && manifest.manifests.map((child) => child.digest)).toEqual(children);
  });

  it("reads by digest where a reference has both, and latest where it has neither", async () => {
    const digest = registry.image("o/a", "amd64", { tag: "latest" });
    expect(await client().manifest(`${registry.host}/o/a:gone@${digest}`)).toMatchObject({ kind: "image", digest });
    expect(await client().manifest(`${registry.host}/o/a`)).toMatchObject({ digest });
    expect(await client().manifest(`${registry.host}/o/a:2`)).toBeUndefined();
  });
});

describe("imageConfig", () => {
  it("reads platform and labels", async () => {
    registry.image("o/a", "ppc64le", { tag: "1", note: "hello" });
    const made = client();
    const manifest = await made.manifest(`${registry.host}/o/a:1`);
    if (manifest?.kind !== "image") throw new Error("no image");
    const config = await made.imageConfig(`${registry.host}/o/a`, manifest);
    expect(config).toMatchObject({ platform: "linux/ppc64le", labels: { note: "hello" } });
  });

  it.each([
    ["is missing", { status: 404, ...errorBody("BLOB_UNKNOWN") }],
    ["is another one", { status: 200, body: '{"os":"linux","architecture":"amd64"}' }],
  ])("is malformed when the configuration %s", async (_, reply) => {
    registry.image("o/a", "arm64", { tag: "1" });
    registry.answer(/blobs/, reply);
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed"));
  });

  it("is malformed when the configuration is not of an image", async () => {
    const digest = registry.blob("o/a", "[]");
    registry.manifest("o/a", { config: { mediaType: configType, digest, size: 2 }, layers: [] }, { tag: "1" });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed", /not an image configuration/));
  });
});

describe("blob", () => {
  it("streams the bytes", async () => {
    const body = Buffer.alloc(6 * 1024 * 1024, "blob");
    const digest = registry.blob("o/a", body);
    expect(digestOf(await buffer(await client().blob(`${registry.host}/o/a`, digest)))).toBe(digest);
  });

  it.each(["cut", undefined] as const)(
    "ends in an error when the body is not whole or not the one asked for (%s)",
    async (fault) => {
      const digest = registry.blob("o/a", "good".repeat(1000));
      registry.answer(/blobs/, { status: 200, body: "evil".repeat(1000), ...(fault && { fault }) });
      await expect(buffer(await client().blob(`${registry.host}/o/a`, digest))).rejects.toThrow();
    },
  );

  it("says so when the registry lacks it", async () => {
    const digest = digestOf("nothing");
    await expect(client().blob(`${registry.host}/o/a`, digest)).rejects.toMatchObject({
      kind: "malformed",
      status: 404,
    });
  });
});

describe("referrers", () => {
  const subject: Digest = digestOf("subject");
  const descriptor = (artifactType: string) => ({
    mediaType: imageType,
    digest: digestOf(artifactType),
    size: 1,
    artifactType,
  });
  const list = (...types: string[]) => ({
    status: 200,
    body: JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: types.map(descriptor) }),
    headers: { "content-type": indexType },
  });

  it("reads the referrers API, all its pages, and filters by artifact type whether or not the registry did", async () => {
    registry.answer(/referrers\/sha256:[0-9a-f]+\?artifactType=a%2Fb$/, {
      ...list("a/b", "c/d"),
      headers: { "content-type": indexType, link: `</v2/o/a/referrers/${subject}?page=2>; rel="next"` },
    });
    registry.answer(/referrers\/.*page=2$/, list("a/b", "e/f"));
    const found = await client().referrers(`${registry.host}/o/a`, subject, { artifactType: "a/b" });
    expect(found.map(({ artifactType }) => artifactType)).toEqual(["a/b", "a/b"]);
  });

  it.each([
    ["a 404", { status: 404, body: "404 page not found" }],
    ["a redirect to a web page", { status: 303, headers: { location: "https://example.invalid/" } }],
  ])("falls back to the tag after %s, and does not ask the API again", async (_, reply) => {
    registry.answer(/referrers/, reply);
    registry.manifest("o/a", { manifests: [descriptor("a/b")] }, { tag: subject.replace(":", "-") });
    const made = client();
    expect(await made.referrers(`${registry.host}/o/a`, subject)).toHaveLength(1);
    expect(await made.referrers(`${registry.host}/o/a`, subject)).toHaveLength(1);
    expect(registry.requests.filter((line) => line.includes("referrers"))).toHaveLength(1);
  });

  it("has none when neither API nor tag is there", async () => {
    expect(await client().referrers(`${registry.host}/o/a`, subject)).toEqual([]);
  });

  it("checks an API that answers with nothing against the fallback tag, every time", async () => {
    registry.answer(/referrers/, list());
    registry.manifest("o/a", { manifests: [descriptor("a/b")] }, { tag: subject.replace(":", "-") });
    const made = client();
    for (let times = 0; times < 2; times++) {
      expect((await made.referrers(`${registry.host}/o/a`, subject)).map(({ artifactType }) => artifactType)).toEqual([
        "a/b",
      ]);
    }
    expect(registry.requests.filter((line) => line.includes("referrers"))).toHaveLength(2);
  });

  it("names the tag and what to do where it is no list, and what is wrong in one that cannot be read", async () => {
    const tag = subject.replace(":", "-");
    const asked = () => client().referrers(`${registry.host}/o/a`, subject);
    registry.manifest("o/a", { config: descriptor("a/b"), layers: [] }, { type: imageType, tag });
    await expect(asked()).rejects.toThrow(`the tag ${tag} names an image; accepted is a list: delete the tag`);
    registry.manifest("o/a", { manifests: [{ ...descriptor("a/b"), size: -1 }] }, { tag });
    await expect(asked()).rejects.toThrow(`${tag}: "manifests.0.size": `);
  });

  it.each([
    ["403", { status: 403, ...errorBody("DENIED") }, "authorisation"],
    ["500", { status: 500 }, "outage"],
    ["a page with 200", { status: 200, body: "<html>" }, "malformed"],
  ])("throws on %s rather than reading it as none", async (_, reply, kind) => {
    registry.answer(/referrers/, reply);
    await expect(client().referrers(`${registry.host}/o/a`, subject)).rejects.toMatchObject({ kind });
  });
});
