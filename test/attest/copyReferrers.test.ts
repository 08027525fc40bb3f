import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { copyPlanVariable } from "../../components/attest/copyReferrers";
import { FakeClock } from "../support/fakeClock";
import { run } from "../../components/attest/runCopy";
import { digestOf, error, imageType, WritableRegistry } from "./writableRegistry";

const theirs = "upstream/app";
const ours = "mirror/app";

let upstream: WritableRegistry;
let mirror: WritableRegistry;
let image: Digest;

/** The same manifest on both sides, as after the copy of a version. */
function imageIn(registry: WritableRegistry, repository: string): Digest {
  return registry.put(repository, { config: registry.blob(repository, '{"os":"linux"}'), layers: [] });
}

async function open(registries: { readonly upstreamApi: boolean; readonly mirrorApi: boolean }): Promise<void> {
  upstream = await new WritableRegistry(registries.upstreamApi).start();
  mirror = await new WritableRegistry(registries.mirrorApi).start();
  image = imageIn(upstream, theirs);
  imageIn(mirror, ours);
}

const environment = (over: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  [copyPlanVariable]: JSON.stringify({
    from: `${upstream.host}/${theirs}`,
    to: `${mirror.host}/${ours}`,
    digests: [image],
    indexDigest: image,
    startedOn: "2026-01-01T00:00:00.000Z",
  }),
  ...over,
});
const copy = () => run(environment(), new FakeClock());

/** Bytes of a manifest, as a registry holds them. */
const held = (registry: WritableRegistry, repository: string, name: string) =>
  registry.manifests.get(`${repository} ${name}`)?.body.toString();

/** What a client of the mirror finds attached. */
async function found(subject: Digest): Promise<readonly string[]> {
  if (!mirror.api) return mirror.listed(ours, subject).map(({ digest }) => digest);
  const answer = await fetch(`http://${mirror.host}/v2/${ours}/referrers/${subject}`);
  return ((await answer.json()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}

beforeEach(() => open({ upstreamApi: true, mirrorApi: false }));
afterEach(() => Promise.all([upstream.stop(), mirror.stop()]));

describe("copying what upstream attached to a manifest", () => {
  it.each([
    { upstreamApi: true, mirrorApi: true },
    { upstreamApi: true, mirrorApi: false },
    { upstreamApi: false, mirrorApi: true },
    { upstreamApi: false, mirrorApi: false },
  ])("takes it by digest, unchanged, with its blobs, and lists it: %j", async (registries) => {
    await Promise.all([upstream.stop(), mirror.stop()]);
    await open(registries);
    const annotations = { "org.example.note": "kept" };
    const signature = upstream.attach(theirs, image, { payload: "signature", annotations });
    const sbom = upstream.attach(theirs, image, { payload: "sbom", type: "application/spdx+json" });
    expect((await copy()).copied).toHaveLength(2);
    expect((await found(image)).toSorted()).toEqual([signature, sbom].toSorted());
    for (const digest of [signature, sbom]) expect(held(mirror, ours, digest)).toBe(held(upstream, theirs, digest));
    expect(mirror.blobs.get(`${ours} ${digestOf(Buffer.from("sbom"))}`)?.toString()).toBe("sbom");
    if (!mirror.api) {
      expect(mirror.listed(ours, image).find(({ digest }) => digest === signature)).toEqual({
        mediaType: imageType,
        digest: signature,
        size: held(mirror, ours, signature)?.length,
        artifactType: "example/signature",
        annotations,
      });
    }
  });

  it("writes nothing to upstream, and a second time nothing at all", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    await copy();
    const { length } = mirror.writes;
    expect((await copy()).copied).toEqual([]);
    expect(mirror.writes).toHaveLength(length);
    expect(upstream.writes).toEqual([]);
  });

  it("writes nothing when nothing is attached", async () => {
    expect(await copy()).toEqual({ copied: [] });
    expect(mirror.writes).toEqual([]);
  });

  it("restores exactly what was deleted, although the old list still names it, and keeps what others attached", async () => {
    const [first, second] = ["1", "2"].map((payload) => upstream.attach(theirs, image, { payload }));
    await copy();
    const own = mirror.attach(ours, image, { payload: "our own" });
    mirror.manifests.delete(`${ours} ${second}`);
    const before = mirror.writes.length;
    expect((await copy()).copied).toHaveLength(1);
    expect(mirror.writes.slice(before)).toContain(`PUT /v2/${ours}/manifests/${second}`);
    expect(mirror.writes.slice(before)).not.toContain(`PUT /v2/${ours}/manifests/${first}`);
    expect((await found(image)).toSorted()).toEqual([first, second, own].toSorted());
  });

  it("can be listed where the list still names what was deleted", async () => {
    const signature = upstream.attach(theirs, image, { payload: "signature" });
    const gone = mirror.attach(ours, image, { payload: "gone" });
    const own = mirror.attach(ours, image, { payload: "our own" });
    mirror.manifests.delete(`${ours} ${gone}`);
    await copy();
    expect(await found(image)).toEqual([own, signature]);
  });

  it("writes again what another writer's list made disappear", async () => {
    const signature = upstream.attach(theirs, image, { payload: "signature" });
    let lost = 0;
    mirror.rule = ({ method, path }) =>
      method === "PUT" && path.endsWith(image.replace(":", "-")) && lost++ === 0 ? { status: 201 } : undefined;
    await copy();
    expect(lost).toBe(2);
    expect(await found(image)).toEqual([signature]);
  });

  it("follows referrers of referrers, and writes each after what it refers to", async () => {
    const signature = upstream.attach(theirs, image, { payload: "signature" });
    const timestamp = upstream.attach(theirs, signature, { payload: "time stamp" });
    expect((await copy()).copied).toHaveLength(2);
    expect(await found(signature)).toEqual([timestamp]);
    expect(mirror.writes.filter((write) => write.includes("/manifests/sha256:"))).toEqual(
      [signature, timestamp].map((digest) => `PUT /v2/${ours}/manifests/${digest}`),
    );
  });

  it("takes a referrer that is an index with all it lists", async () => {
    const child = upstream.put(theirs, { config: upstream.blob(theirs, "child"), layers: [] });
    const subject = { mediaType: imageType, digest: image, size: 2 };
    const index = upstream.put(theirs, { manifests: [{ mediaType: imageType, digest: child, size: 1 }], subject });
    await copy();
    expect(await found(image)).toEqual([index]);
    expect(held(mirror, ours, child)).toBe(held(upstream, theirs, child));
  });

  it("takes what older versions of cosign put under tags, and leaves such a tag of our own alone", async () => {
    const name = image.replace(":", "-");
    const attached = (payload: string) => ({
      config: upstream.blob(theirs, "{}"),
      layers: [upstream.blob(theirs, payload)],
    });
    upstream.put(theirs, attached("signature"), `${name}.sig`);
    upstream.put(theirs, attached("attestation"), `${name}.att`);
    mirror.put(ours, { config: mirror.blob(ours, "{}"), layers: [] }, `${name}.sig`);
    const own = held(mirror, ours, `${name}.sig`);
    expect((await copy()).copied).toEqual([expect.stringMatching(/^"att" of [0-9a-f]{12}$/)]);
    expect(held(mirror, ours, `${name}.att`)).toBe(held(upstream, theirs, `${name}.att`));
    expect(held(mirror, ours, `${name}.sig`)).toBe(own);
    expect(mirror.writes.filter((write) => write.endsWith(".sig"))).toEqual([]);
  });

  it("does not take what names another subject, leads nowhere, or is no manifest, whatever the list says", async () => {
    upstream.attach(theirs, image, { payload: "x", subject: digestOf(Buffer.from("another")) });
    const artifact = "application/vnd.oci.artifact.manifest.v1+json";
    const old = { type: artifact, body: Buffer.from(JSON.stringify({ mediaType: artifact })) };
    upstream.manifests.set(`${theirs} ${digestOf(old.body)}`, old);
    const list = [
      ...upstream.listed(theirs, image),
      { mediaType: imageType, digest: digestOf(Buffer.from("gone")), size: 1 },
      { mediaType: artifact, digest: digestOf(old.body), size: 1 },
      { mediaType: imageType, digest: digestOf(old.body), size: 1 },
    ];
    upstream.rule = ({ path }) =>
      path.includes("/referrers/") ? { status: 404, body: "404 page not found" } : undefined;
    upstream.put(theirs, { manifests: list }, image.replace(":", "-"));
    expect(await copy()).toEqual({ copied: [] });
    expect(mirror.writes).toEqual([]);
  });
});

describe("copying fails", () => {
  it.each<readonly [string, (payload: Buffer) => Buffer]>([
    ["changed", (payload) => Buffer.from(payload.toString().toUpperCase())],
    ["longer than said", (payload) => Buffer.concat([payload, payload])],
    ["cut off", (payload) => payload.subarray(1)],
  ])("and writes nothing of a blob that is %s", async (_, forge) => {
    const signature = upstream.attach(theirs, image, { payload: "signature" });
    const name = digestOf(Buffer.from("signature"));
    upstream.blobs.set(`${theirs} ${name}`, forge(Buffer.from("signature")));
    await expect(copy()).rejects.toThrow(/lacks what upstream attached.*after 3 tries: .*blob/);
    expect(held(mirror, ours, signature)).toBeUndefined();
    expect([...mirror.blobs.values()].map(String).toSorted()).toEqual(['{"os":"linux"}', "{}"].toSorted());
  });

  it("on a blob that is longer than its manifest says, though its digest is right", async () => {
    const config = { ...upstream.blob(theirs, "{}"), size: 1 };
    upstream.put(theirs, { config, layers: [], subject: { mediaType: imageType, digest: image, size: 2 } });
    await expect(copy()).rejects.toThrow(/is not of the 1 bytes its manifest says/);
    expect(mirror.writes.filter((request) => request.startsWith("PUT "))).toEqual([]);
  });

  it("on a manifest that is not the one its digest names", async () => {
    const signature = upstream.attach(theirs, image, { payload: "signature" });
    const other = Buffer.from(held(upstream, theirs, signature)?.replace("example/", "changed/") ?? "");
    const type = { "content-type": imageType };
    upstream.put(
      theirs,
      { manifests: [{ mediaType: imageType, digest: signature, size: 1 }] },
      image.replace(":", "-"),
    );
    upstream.rule = ({ path }) => {
      if (path.includes("/referrers/")) return { status: 404, body: "404 page not found" };
      return path.endsWith(`manifests/${signature}`) ? { status: 200, headers: type, body: other } : undefined;
    };
    await expect(copy()).rejects.toThrow(/has digest sha256:\w+, not/);
    expect(mirror.writes).toEqual([]);
  });

  it("before anything is fetched that is larger than anybody needs", async () => {
    const config = { ...upstream.blob(theirs, "{}"), size: 129 * 1024 * 1024 };
    upstream.put(theirs, { config, layers: [], subject: { mediaType: imageType, digest: image, size: 2 } });
    await expect(copy()).rejects.toThrow(/is of 135266304 bytes; accepted are/);
    expect(upstream.requests.filter((request) => request.includes("/blobs/"))).toEqual([]);
    expect(mirror.writes).toEqual([]);
  });

  it("before anything is copied when more is attached than anybody needs", async () => {
    for (let count = 0; count < 101; count++) upstream.attach(theirs, image, { payload: String(count) });
    await expect(copy()).rejects.toThrow(/more than 100 referrers are attached/);
    expect(upstream.requests.filter((request) => request.includes("/manifests/sha256:"))).toEqual([]);
    expect(mirror.writes).toEqual([]);
  });

  it("and says so where the registry takes what is attached and lists none of it", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    const headers = { "content-type": "application/vnd.oci.image.index.v1+json" };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: headers["content-type"], manifests: [] });
    mirror.rule = ({ path }) => (path.includes("/referrers/") ? { status: 200, headers, body } : undefined);
    await expect(copy()).rejects.toThrow(/after 3 tries: it was written, but the registry of .* does not list it/);
    expect(mirror.writes.filter((write) => write.includes("sha256-"))).toEqual([]);
  });

  it("a bounded number of times when the registry refuses, with its words", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    mirror.rule = ({ method }) => (method === "POST" ? { status: 403, body: error("DENIED") } : undefined);
    await expect(copy()).rejects.toThrow(/after 3 tries: cannot write blob .*status 403.*DENIED/);
    expect(mirror.writes).toHaveLength(3);
  });

  it("without writing when a registry gives no answer: that is not missing", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    mirror.rule = ({ path }) => (path.includes("/referrers/") ? { status: 403, body: error("DENIED") } : undefined);
    await expect(copy()).rejects.toThrow(/403/);
    expect(mirror.writes).toEqual([]);
  });

  it("rather than send the bytes, and our credentials, to another host", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    mirror.location = (path) => `http://${upstream.host}${path}`;
    await expect(copy()).rejects.toThrow(/is to be sent to "http:\/\/localhost:\d+"; accepted is http:\/\/localhost/);
    expect(upstream.writes).toEqual([]);
  });
});

describe("the process that copies", () => {
  const start = async (variables: NodeJS.ProcessEnv) => {
    const root = join(__dirname, "../..");
    const child = spawn("node", ["components/attest/launch.cjs", "copy-referrers"], { cwd: root, env: variables });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { status, stdout, stderr };
  };

  it("ends with status 0 and says in JSON what it copied", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    const { status, stdout, stderr } = await start(environment());
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ copied: [expect.stringContaining("example/signature")] });
  });

  it("ends with status 1 and the reason in one line", async () => {
    const { status, stderr } = await start(environment({ [copyPlanVariable]: '{"from":"x"}' }));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^the plan of referrers to copy is not valid: .*from.*\n$/);
  });
});

describe("writing to a registry that wants tokens", () => {
  it("asks for one that may write from the start, whatever the challenge names", async () => {
    upstream.attach(theirs, image, { payload: "signature" });
    const scopes: string[] = [];
    let expired = 1;
    mirror.rule = ({ path, query, headers, method }) => {
      if (path === "/token") {
        scopes.push(query.get("scope") ?? "");
        return { status: 200, body: JSON.stringify({ token: query.get("scope")?.endsWith(":pull,push") ? "w" : "r" }) };
      }
      const allowed = method === "GET" || method === "HEAD" ? /^Bearer [wr]$/ : /^Bearer w$/;
      const old = method === "PUT" && expired-- > 0;
      if (!old && allowed.test(headers.authorization ?? "")) return undefined;
      const challenge = `Bearer realm="http://${mirror.host}/token",service="s",scope="repository:${ours}:pull"`;
      return { status: 401, headers: { "www-authenticate": challenge }, body: error("UNAUTHORIZED") };
    };
    expect((await copy()).copied).toHaveLength(1);
    expect(new Set(scopes)).toEqual(new Set([`repository:${ours}:pull`, `repository:${ours}:pull,push`]));
  });
});
