import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { RegistryClient, type RegistryClientOptions } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { digestOf, errorBody, FakeRegistry, imageType, indexType } from "./fakeRegistry";

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

describe("probe", () => {
  it("reads an index and its children with one GET and one HEAD for each child", async () => {
    const { digest, children } = registry.index("o/a", "1", ["amd64", "arm64"]);
    const [amd64, arm64] = children;
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual({
      state: "present",
      digest,
      platforms: { "linux/amd64": amd64, "linux/arm64": arm64 },
      lost: {},
      others: [],
    });
    expect(registry.requests.toSorted()).toEqual([
      "GET /v2/o/a/manifests/1",
      ...children.map((child) => `HEAD /v2/o/a/manifests/${child}`).toSorted(),
    ]);
  });

  it("goes on using its connections after a HEAD", async () => {
    registry.index("o/a", "1", ["amd64", "arm64", "ppc64le", "s390x"]);
    const one = client({ concurrency: 1 });
    for (let times = 0; times < 3; times += 1) await one.probe(`${registry.host}/o/a:1`);
    expect(registry.requests.filter((request) => request.startsWith("HEAD"))).toHaveLength(12);
    // The first question, whether there is a registry at all, takes one of its own.
    expect(registry.connections).toBe(2);
  });

  it("believes the index about its children when told to", async () => {
    const { children } = registry.index("o/a", "1", ["amd64"]);
    registry.remove("o/a", children[0] ?? "");
    const probe = await client().probe(`${registry.host}/o/a:1`, { skipChildren: true });
    expect(probe).toHaveProperty("platforms", { "linux/amd64": children[0] });
    expect(probe).toHaveProperty("lost", {});
    expect(registry.requests).toHaveLength(1);
  });

  it("lists a platform whose manifest is gone as lost, and asks by GET before it believes that", async () => {
    const { children } = registry.index("o/a", "1", ["amd64", "arm64"]);
    registry.remove("o/a", children[1] ?? "");
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject({ platforms: { "linux/amd64": children[0] }, lost: { "linux/arm64": children[1] } });
    expect(registry.requests).toContain(`GET /v2/o/a/manifests/${children[1]}`);
  });

  it("is unknown when one child cannot be asked about", async () => {
    const { children } = registry.index("o/a", "1", ["amd64", "arm64"]);
    registry.answer(new RegExp(`${children[1]}`), { status: 403, ...errorBody("DENIED", "no") });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("authorisation", /DENIED/));
  });

  it("is unknown when a child's 404 does not come from a registry", async () => {
    const { children } = registry.index("o/a", "1", ["amd64"]);
    registry.answer(new RegExp(`${children[0]}`), { status: 404, body: "<html>" });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed"));
  });

  it("keeps attestations apart from platforms and drops those that are gone", async () => {
    const amd64 = registry.image("o/a", "amd64");
    const attestation = registry.manifest("o/a", { config: { mediaType: "x/y", digest: amd64, size: 1 }, layers: [] });
    const platform = { os: "unknown", architecture: "unknown" };
    const gone: Digest = `sha256:${"0".repeat(64)}`;
    const children = [
      { mediaType: imageType, digest: amd64, size: 1, platform: { os: "linux", architecture: "amd64" } },
      { mediaType: imageType, digest: attestation, size: 1, platform },
      { mediaType: imageType, digest: gone, size: 1, platform },
    ];
    registry.manifest("o/a", { manifests: children }, { tag: "1" });
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toHaveProperty("platforms", { "linux/amd64": amd64 });
    expect(probe).toHaveProperty("lost", {});
    expect(probe).toHaveProperty("others", [attestation]);
  });

  it("knows a platform that is described as no image, unless another child serves it", async () => {
    const [amd64, arm64, other] = ["amd64", "arm64", "arm64"].map((name, note) =>
      registry.image("o/a", name, { note: `${note}` }),
    );
    const odd = { mediaType: "application/octet-stream", size: 1 };
    const platform = { os: "linux", architecture: "arm64" };
    const named = { mediaType: imageType, digest: arm64, size: 1, platform };
    registry.manifest("o/a", { manifests: [{ ...odd, digest: amd64 }, named] }, { tag: "1" });
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject({ platforms: { "linux/arm64": arm64 }, others: [] });
    expect(probe).toMatchObject({ misdescribed: { "linux/amd64": amd64 } });
    registry.manifest("o/a", { manifests: [{ ...odd, digest: other, platform }, named] }, { tag: "2" });
    expect(await client().probe(`${registry.host}/o/a:2`)).not.toHaveProperty("misdescribed");
  });

  it("leaves a child of unknown type that is no image among the others", async () => {
    const artifact = registry.manifest("o/a", {
      config: { mediaType: "x/y", digest: digestOf("x"), size: 1 },
      layers: [],
    });
    const child = { mediaType: "application/vnd.example.thing", digest: artifact, size: 1 };
    registry.manifest("o/a", { manifests: [child] }, { tag: "1" });
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject({ state: "present", platforms: {}, others: [artifact] });
    expect(probe).not.toHaveProperty("misdescribed");
  });

  it("learns the platform of a single image from its configuration", async () => {
    const digest = registry.image("o/a", "arm64", { tag: "1" });
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toEqual({ state: "present", digest, platforms: { "linux/arm64": digest }, lost: {}, others: [] });
  });

  it("is unknown for a single manifest that is no image", async () => {
    const digest: Digest = `sha256:${"0".repeat(64)}`;
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest, size: 2 };
    registry.manifest("o/a", { config, layers: [] }, { tag: "1" });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed", /media type/));
  });

  it("reads Docker's own media types too", async () => {
    const type = "application/vnd.docker.distribution.manifest.list.v2+json";
    const digest = registry.manifest("o/a", { manifests: [] }, { tag: "1", type });
    expect(await client().probe(`${registry.host}/o/a:1`)).toMatchObject({
      state: "present",
      digest,
      dockerList: true,
    });
    registry.manifest("o/a", { manifests: [] }, { tag: "2" });
    expect(await client().probe(`${registry.host}/o/a:2`)).not.toHaveProperty("dockerList");
  });

  it.each([
    ["410", { status: 410, ...errorBody("MANIFEST_UNKNOWN") }, "malformed"],
    ["401", { status: 401, ...errorBody("UNAUTHORIZED") }, "authorisation"],
    ["403", { status: 403, ...errorBody("DENIED") }, "authorisation"],
    ["403 that claims absence", { status: 403, ...errorBody("NAME_UNKNOWN") }, "authorisation"],
    ["500", { status: 500 }, "outage"],
    ["503 that claims absence", { status: 503, ...errorBody("MANIFEST_UNKNOWN") }, "outage"],
    ["a page with 200", { status: 200, body: "<html>", headers: { "content-type": "text/html" } }, "malformed"],
    [
      "a page that claims to be an index",
      { status: 200, body: "<html>", headers: { "content-type": indexType } },
      "malformed",
    ],
    [
      "half a JSON text",
      { status: 200, body: '{"schemaVersion":2,', headers: { "content-type": indexType } },
      "malformed",
    ],
    [
      "JSON of something else",
      { status: 200, body: "{}", headers: { "content-type": "application/json" } },
      "malformed",
    ],
    ["JSON null", { status: 200, body: "null", headers: { "content-type": indexType } }, "malformed"],
    [
      "an index without children",
      { status: 200, body: '{"schemaVersion":2}', headers: { "content-type": indexType } },
      "malformed",
    ],
    ["an empty 200", { status: 200, headers: { "content-type": indexType } }, "malformed"],
    ["a reset connection", { fault: "reset" }, "network"],
    [
      "a body cut off",
      { fault: "cut", status: 200, body: "{}".padEnd(9000), headers: { "content-type": indexType } },
      "network",
    ],
    [
      "a redirect to plain HTTP elsewhere",
      { status: 307, headers: { location: "http://example.invalid/" } },
      "malformed",
    ],
    ["a redirect to itself", { status: 307, headers: { location: "/v2/o/a/manifests/1" } }, "malformed"],
  ] as const)("takes %s for unknown, never for absent", async (_, reply, cause) => {
    registry.answer(/manifests/, reply);
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown(cause, /o\/a/));
  });

  it("gives up on an answer that does not come in time", async () => {
    registry.answer(/manifests/, { fault: "hang" });
    const probe = await client({ requestTimeoutMs: 30 }).probe(`${registry.host}/o/a:1`);
    expect(probe).toEqual(unknown("timeout", /30 ms/));
    expect(registry.requests).toHaveLength(5);
  });

  it("is unknown when nobody listens", async () => {
    const gone = await new FakeRegistry().start();
    const { host } = gone;
    await gone.stop();
    expect(await client().probe(`${host}/o/a:1`)).toEqual(unknown("network", /ECONNREFUSED/));
  });

  it("refuses a body longer than 4 MiB", async () => {
    registry.answer(/manifests/, {
      status: 200,
      body: Buffer.alloc(4 * 1024 * 1024 + 1, " "),
      headers: { "content-type": indexType },
    });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed", /longer than 4194304/));
  });

  it("refuses a body that is not what the registry's own digest says", async () => {
    const headers = { "content-type": indexType, "docker-content-digest": digestOf("other") };
    registry.answer(/manifests/, { status: 200, body: '{"schemaVersion":2,"manifests":[]}', headers });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed", /digest/));
  });

  it("refuses another body than the digest asked for, whatever the registry claims", async () => {
    const body = '{"schemaVersion":2,"manifests":[]}';
    const asked = digestOf("other");
    registry.answer(/manifests/, { status: 200, body, headers: { "content-type": indexType } });
    expect(await client().probe(`${registry.host}/o/a@${asked}`)).toEqual(unknown("malformed", /digest/));
  });

  it("refuses a body that can be read as an index and as an image", async () => {
    registry.manifest("o/a", { manifests: [], layers: [] }, { tag: "1" });
    expect(await client().probe(`${registry.host}/o/a:1`)).toEqual(unknown("malformed", /two things/));
  });

  it("prints what a registry says escaped and cut short", async () => {
    registry.answer(/manifests/, { status: 403, ...errorBody("DENIED", `\n::error::${"x".repeat(5000)}`) });
    const probe = await client().probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject({ reason: expect.not.stringContaining("\n") as string });
    expect("reason" in probe && probe.reason.length).toBeLessThan(500);
  });

  it("throws for a reference that is none", async () => {
    await expect(client().probe("r.io/$(id)")).rejects.toThrow("is not an image reference");
    expect(registry.seen).toEqual([]);
  });
});
