import { afterEach, describe, expect, it, vi } from "vitest";
import { Authentication, type AuthenticationOptions } from "../../../tools/sandbox/authentication";
import { FrontBench, type Received } from "./frontBench";

let bench: FrontBench;

afterEach(async () => {
  vi.useRealTimers();
  await bench.close();
});

async function open(options: Partial<AuthenticationOptions>): Promise<void> {
  const authentication = new Authentication({ mode: "token", user: "robot", password: "s3cret", ...options });
  const gate = authentication.check.bind(authentication);
  bench = await FrontBench.open((_, response) => response.end("passed"), { gates: [gate] });
}

const credentials = `Basic ${Buffer.from("robot:s3cret").toString("base64")}`;

/** Follows the challenge of a 401 as a registry client does, and returns the token server's answer. */
async function follow(denied: Received, authorization?: string): Promise<Received> {
  const challenge = String(denied.headers["www-authenticate"]);
  const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const realm = new URL(field("realm"));
  const path = `${realm.pathname}?service=${field("service")}&scope=${encodeURIComponent(field("scope"))}`;
  return bench.send("GET", path, { headers: authorization === undefined ? {} : { authorization } });
}

const tokenOf = (answer: Received): string =>
  `Bearer ${(JSON.parse(answer.body.toString()) as { token: string }).token}`;

describe("basic authentication", () => {
  it("lets nobody pass without the right user and password", async () => {
    await open({ mode: "basic" });
    for (const authorization of [undefined, `Basic ${Buffer.from("robot:wrong").toString("base64")}`, "Bearer x"]) {
      const answer = await bench.send("GET", "/v2/", { headers: authorization === undefined ? {} : { authorization } });
      expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": 'Basic realm="sandbox"' } });
      expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
    }
    expect(bench.seen).toEqual([]);
    expect((await bench.send("GET", "/v2/", { headers: { authorization: credentials } })).body.toString()).toBe(
      "passed",
    );
  });
});

describe("token authentication", () => {
  it("names the scope missing and accepts a token for it", async () => {
    await open({});
    const denied = await bench.send("PUT", "/v2/mirror/app/manifests/1.0.0");
    expect(denied.headers["www-authenticate"]).toBe(
      `Bearer realm="http://localhost:${bench.front.port}/token",service="sandbox",scope="repository:mirror/app:pull,push"`,
    );
    const authorization = tokenOf(await follow(denied, credentials));
    expect((await bench.send("PUT", "/v2/mirror/app/manifests/1.0.0", { headers: { authorization } })).status).toBe(
      200,
    );
    expect((await bench.send("GET", "/v2/mirror/app/blobs/x", { headers: { authorization } })).status).toBe(200);
  });

  it("sends a client that came over TLS to the token server over TLS", async () => {
    await open({});
    const denied = await bench.send("GET", "/v2/", { tls: true });
    expect(denied.headers["www-authenticate"]).toContain(`realm="https://localhost:${bench.front.port}/token"`);
  });

  it("refuses a token of another repository or action as insufficient", async () => {
    await open({});
    const authorization = tokenOf(await follow(await bench.send("GET", "/v2/mirror/app/tags/list"), credentials));
    for (const [method, path] of [
      ["GET", "/v2/mirror/other/tags/list"],
      ["PUT", "/v2/mirror/app/manifests/1"],
      ["DELETE", "/v2/mirror/app/manifests/1"],
    ] as const) {
      const answer = await bench.send(method, path, { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toContain('error="insufficient_scope"');
    }
  });

  it("refuses a token once its time is over", async () => {
    await open({ tokenSeconds: 5 });
    const issued = await follow(await bench.send("GET", "/v2/a/tags/list"), credentials);
    expect(JSON.parse(issued.body.toString())).toMatchObject({ expires_in: 5 });
    const headers = { authorization: tokenOf(issued) };
    expect((await bench.send("GET", "/v2/a/tags/list", { headers })).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5_001 });
    const late = await bench.send("GET", "/v2/a/tags/list", { headers });
    expect(late.status).toBe(401);
    expect(late.headers["www-authenticate"]).toContain('error="invalid_token"');
  });

  it("gives no token for wrong credentials, and none without any unless reading is free", async () => {
    await open({});
    const denied = await bench.send("GET", "/v2/a/tags/list");
    expect((await follow(denied, "Basic d3Jvbmc6d3Jvbmc=")).status).toBe(401);
    expect((await follow(denied)).status).toBe(401);
  });

  it("gives anonymous clients a token that only reads, where reading is free", async () => {
    await open({ anonymousPull: true });
    // Builders send their credentials in the body of a POST first, where nobody looks; without an answer they ask by GET.
    expect((await bench.send("POST", "/token?scope=repository:a:pull,push")).status).toBe(404);
    const authorization = tokenOf(await follow(await bench.send("PUT", "/v2/a/manifests/1")));
    expect((await bench.send("GET", "/v2/a/manifests/1", { headers: { authorization } })).status).toBe(200);
    expect((await bench.send("PUT", "/v2/a/manifests/1", { headers: { authorization } })).status).toBe(401);
  });
});
