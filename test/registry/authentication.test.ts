import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { errorBody, FakeRegistry } from "./fakeRegistry";
import { wantTokens } from "./tokenServer";
import { basicHeader, client, clock, configure, folder, login, probe, registry, tokenRequests } from "./dockerLogin";

describe("token authentication", () => {
  it("fetches one token for each repository and shares it among all requests", async () => {
    wantTokens(registry);
    const probes = await Promise.all(Array.from({ length: 20 }, (_, i) => probe(i % 2 ? "o/a" : "o/b")));
    expect(probes.every(({ state }) => state === "present")).toBe(true);
    expect(
      tokenRequests()
        .map(({ path }) => new URL(path, "http://x").searchParams.get("scope"))
        .toSorted(),
    ).toEqual(["repository:o/a:pull", "repository:o/b:pull"]);
    expect(registry.seen.filter(({ path, authorization }) => path.includes("manifests") && !authorization)).toEqual([]);
    expect(new URL(tokenRequests()[0]?.path ?? "", "http://x").searchParams.get("service")).toBe('a, "service"');
  });

  it("asks without credentials when there are none, and with them when there are", async () => {
    wantTokens(registry);
    await probe("o/a");
    expect(tokenRequests()[0]?.authorization).toBeUndefined();
    await login();
    // The look-up is remembered, so a new client has to do it.
    const other = new RegistryClient({ environment: { DOCKER_CONFIG: folder }, clock });
    await other.probe(`${registry.host}/o/a:1`);
    await other.close();
    expect(tokenRequests()[1]?.authorization).toBe(basicHeader);
  });

  it("exchanges an identity token by POST", async () => {
    wantTokens(registry);
    await configure({ auths: { [registry.host]: { identitytoken: "id-canary" } } });
    expect(await probe("o/a")).toMatchObject({ state: "present" });
    const [request] = tokenRequests();
    expect(request).toMatchObject({ method: "POST", path: "/token" });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "id-canary",
      service: 'a, "service"',
      scope: "repository:o/a:pull",
    });
  });

  it.each([400, 401, 404, 405])(
    "asks for a token by GET, with the identity token for a password, where POST is answered %i",
    async (status) => {
      wantTokens(registry);
      registry.rule(({ method, path }) => (method === "POST" && path.startsWith("/token") ? { status } : undefined));
      await configure({ auths: { [registry.host]: { identitytoken: "id-canary" } } });
      expect(await probe("o/a")).toMatchObject({ state: "present" });
      const authorization = `Basic ${Buffer.from(":id-canary").toString("base64")}`;
      expect(tokenRequests()[1]).toMatchObject({ method: "GET", authorization });
    },
  );

  it.each([
    '{"token":"t1","access_token":null}',
    '{"token":null,"access_token":"t1"}',
    '{"token":"","access_token":"t1"}',
  ])("takes the token out of %s", async (body) => {
    wantTokens(registry);
    registry.answer(/token/, { status: 200, body });
    expect(await probe("o/a")).toMatchObject({ state: "present" });
  });

  it("renews a token before it runs out, and not earlier than needed", async () => {
    wantTokens(registry, { lifetime: 100 });
    await probe("o/a");
    clock.time += 80_000;
    await probe("o/a");
    expect(tokenRequests()).toHaveLength(1);
    clock.time += 15_000;
    await probe("o/a");
    expect(tokenRequests()).toHaveLength(2);
  });

  it("takes a token without a lifetime to be good for a minute", async () => {
    wantTokens(registry);
    await probe("o/a");
    clock.time += 61_000;
    await probe("o/a");
    expect(tokenRequests()).toHaveLength(2);
  });

  it("fetches another token, once for all, when the registry does not take the old one any more", async () => {
    let good = "Bearer t1";
    wantTokens(registry, { accepts: (authorization) => authorization === good });
    await probe("o/a");
    good = "Bearer t2";
    const probes = await Promise.all(Array.from({ length: 10 }, () => probe("o/a")));
    expect(probes.every(({ state }) => state === "present")).toBe(true);
    expect(tokenRequests()).toHaveLength(2);
  });

  it("is unknown (authorisation) when no token is ever good enough", async () => {
    wantTokens(registry, { accepts: () => false });
    expect(await probe("o/a")).toMatchObject({ state: "unknown", cause: "authorisation" });
    expect(tokenRequests()).toHaveLength(2);
  });

  it.each([
    ["refuses", { status: 401, ...errorBody("UNAUTHORIZED") }, "authorisation"],
    ["denies", { status: 403 }, "authorisation"],
    ["is down", { status: 503 }, "outage"],
    ["answers with a page", { status: 200, body: "<html>" }, "malformed"],
    ["hands out nothing", { status: 200, body: "{}" }, "malformed"],
    ["hands out a header of its own", { status: 200, body: '{"token":"a\\r\\nX: y"}' }, "malformed"],
    ["says 404 MANIFEST_UNKNOWN", { status: 404, ...errorBody("MANIFEST_UNKNOWN") }, "malformed"],
  ])("is unknown when the token server %s", async (_, reply, cause) => {
    await login();
    wantTokens(registry);
    registry.answer(/token/, reply);
    const result = await probe("o/a");
    expect(result).toMatchObject({ state: "unknown", cause });
    expect(JSON.stringify(result)).not.toContain("canary");
  });

  it("succeeds when the token server was down for a moment", async () => {
    wantTokens(registry);
    registry.answer(/token/, { status: 503 }, 2);
    expect(await probe("o/a")).toMatchObject({ state: "present" });
  });

  it.each(["http://example.invalid/token", "file:///etc/passwd", "nonsense"])(
    "sends nothing to the token server %s",
    async (realm) => {
      await login();
      registry.answer(/v2/, { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}"` } });
      expect(await probe("o/a")).toMatchObject({ state: "unknown", cause: "malformed" });
    },
  );
});

describe("credentials", () => {
  const accepts = () => client.accepts(registry.host);
  const wantBasic = (): void =>
    registry.rule(({ authorization }) =>
      authorization === basicHeader
        ? { status: 200 }
        : { status: 401, ...errorBody("UNAUTHORIZED"), headers: { "www-authenticate": "Basic realm=x" } },
    );

  it("are accepted by a registry that asks for none", async () => {
    registry.answer(/GET \/v2\/$/, { status: 200 });
    expect(await accepts()).toBe(true);
  });

  it("are accepted or not as name and password are right or wrong", async () => {
    wantBasic();
    expect(await accepts()).toBe(false);
    await configure({ auths: { [registry.host]: { auth: Buffer.from("user:wrong").toString("base64") } } });
    const wrong = new RegistryClient({ environment: { DOCKER_CONFIG: folder }, clock });
    expect(await wrong.accepts(registry.host)).toBe(false);
    await wrong.close();
    await login();
    const right = new RegistryClient({ environment: { DOCKER_CONFIG: folder }, clock });
    expect(await right.accepts(registry.host)).toBe(true);
    await right.close();
  });

  it("are accepted when the token they are exchanged for is, which an anonymous one does not prove", async () => {
    wantTokens(registry);
    registry.rule(({ path, authorization }) =>
      path === "/v2/" && authorization?.startsWith("Bearer t") ? { status: 200 } : undefined,
    );
    expect(await accepts()).toBe(false);
    await login();
    const known = new RegistryClient({ environment: { DOCKER_CONFIG: folder }, clock });
    expect(await known.accepts(registry.host)).toBe(true);
    await known.close();
    expect(tokenRequests().map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/token?service=a%2C+%22service%22", basicHeader],
    ]);
  });

  it("are not accepted when the token server refuses them, and unknown when it is down", async () => {
    wantTokens(registry);
    await login();
    registry.answer(/\/token/, { status: 403 });
    expect(await accepts()).toBe(false);
    registry.answer(/\/token/, { status: 503 });
    await expect(accepts()).rejects.toMatchObject({ kind: "outage" });
  });
});

describe("a redirect", () => {
  it("to another host leaves that host's words out of messages", async () => {
    const store = await new FakeRegistry().start();
    try {
      registry.answer(/blobs/, { status: 307, headers: { location: `http://${store.host}/store` } });
      store.answer(/store/, { status: 400, ...errorBody("CANARY", "canary") });
      const failure = await client.blob(`${registry.host}/o/a`, `sha256:${"a".repeat(64)}`).catch(String);
      expect(failure).toContain(`saying what http://${store.host} says, to which it redirected`);
      expect(failure).not.toMatch(/canary/i);
    } finally {
      await store.stop();
    }
  });

  it("to another host does not take our credentials along, and that host's 401 does not get them", async () => {
    await login();
    const store = await new FakeRegistry().start();
    try {
      wantTokens(registry);
      const digest = registry.blob("o/a", "content");
      const location = `http://${store.host}/store?signature=canary`;
      registry.answer(/blobs/, { status: 307, headers: { location } });
      store.answer(/store/, { status: 401, headers: { "www-authenticate": "Basic" } });
      store.answer(/store/, { status: 200, body: "content" }, 1);
      expect(await text(await client.blob(`${registry.host}/o/a`, digest))).toBe("content");
      await expect(client.blob(`${registry.host}/o/a`, digest)).rejects.toMatchObject({ kind: "authorisation" });
      expect(store.seen.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
      const ours = registry.seen.filter(({ path }) => path.includes("blobs"));
      expect(ours.map(({ authorization }) => authorization)).toEqual(["Bearer t1", "Bearer t1"]);
    } finally {
      await store.stop();
    }
  });
});
