import { afterEach, describe, expect, it } from "vitest";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { lastingPorts } from "../../../tools/sandbox/freePort";
import { FrontBench, noise, sha256, type Received } from "./frontBench";

let bench: FrontBench;

afterEach(() => bench.close());

async function open(handler: RequestListener): Promise<void> {
  bench = await FrontBench.open(handler);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Answers with method, path and the digest of what was sent. */
const echo: RequestListener = (request, response) => {
  void readAll(request).then(
    (body) => response.writeHead(201, { Location: "/v2/x", "X-Length": body.length }).end(sha256(body)),
    () => {},
  );
};

describe.each([false, true])("a front spoken to with TLS: %s", (tls) => {
  it("passes method, path, query, headers and both bodies on unchanged", async () => {
    let host: string | undefined;
    await open((request, response) => {
      host = request.headers.host;
      echo(request, response);
    });
    const body = noise(3_000_000);
    const answer = await bench.send("PUT", "/v2/a%2Fb/blobs?digest=sha256%3Aab", { body, tls });
    expect(answer).toMatchObject({ status: 201, headers: { location: "/v2/x", "x-length": "3000000" } });
    expect(answer.body.toString()).toBe(sha256(body));
    expect(bench.seen).toEqual(["PUT /v2/a%2Fb/blobs?digest=sha256%3Aab"]);
    expect(host).toBe(`localhost:${bench.front.port}`);
  });

  it("cuts an answer after the bytes asked for, all of which arrive", async () => {
    const body = noise(500_000);
    await open((_, response) => response.writeHead(200, { "Content-Length": body.length }).end(body));
    bench.setRules({ cut: { responseBytes: 100_000 }, times: 1 });
    const error = await bench.send("GET", "/blob", { tls }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(sha256((error as { received: Received }).received.body)).toBe(sha256(body.subarray(0, 100_000)));
    expect(bench.logged()).toMatchObject([{ method: "GET", path: "/blob", status: "cut", bytes: 100_000 }]);
    expect(sha256((await bench.send("GET", "/blob", { tls })).body)).toBe(sha256(body));
  });

  it("cuts before anything is forwarded", async () => {
    await open(echo);
    bench.setRules({ cut: "request", nth: 1 });
    await expect(bench.send("GET", "/v2/", { tls })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(bench.seen).toEqual([]);
    expect((await bench.send("GET", "/v2/", { tls })).status).toBe(201);
    expect(bench.logged().map(({ status }) => status)).toEqual(["cut", 201]);
  });

  it("cuts after the part has done its work, so that only the answer is lost", async () => {
    await open(echo);
    bench.setRules({ method: "PUT", cut: "response" });
    await expect(bench.send("PUT", "/m", { tls, body: noise(10) })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(bench.seen).toEqual(["PUT /m"]);
    expect(bench.logged()).toMatchObject([{ method: "PUT", status: "cut" }]);
  });

  it("cuts an upload in the middle, and the part sees it broken off", async () => {
    let end: (how: string) => void;
    const outcome = new Promise<string>((resolve) => (end = resolve));
    let bytes = 0;
    await open((request) => {
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => end("whole"));
      request.on("error", () => end("broken"));
    });
    bench.setRules({ cut: { requestBytes: 200_000 } });
    await expect(bench.send("PATCH", "/upload", { tls, body: noise(1_000_000) })).rejects.toThrow();
    expect(await outcome).toBe("broken");
    expect(bytes).toBe(200_000);
    expect(bench.logged()).toMatchObject([{ method: "PATCH", status: "cut" }]);
  });
});

describe("a front", () => {
  it("keeps connections open on both sides", async () => {
    await open((request, response) => response.end(String(request.socket.remotePort)));
    const ports: string[] = [];
    for (let i = 0; i < 5; i++) ports.push((await bench.send("GET", `/${i}`)).body.toString());
    expect(new Set(ports).size).toBe(1);
    expect(bench.upstreamConnections).toBe(1);
  });

  it("answers HEAD with the part's headers and 204 without a body", async () => {
    await open((request, response) => {
      if (request.method === "HEAD")
        response.writeHead(200, { "Content-Length": 1234, "Docker-Content-Digest": "sha256:aa" }).end();
      else response.writeHead(204).end();
    });
    expect(await bench.send("HEAD", "/m")).toMatchObject({
      status: 200,
      headers: { "content-length": "1234", "docker-content-digest": "sha256:aa" },
    });
    expect(await bench.send("DELETE", "/m")).toMatchObject({ status: 204 });
    expect(bench.logged()).toMatchObject([
      { status: 200, bytes: 0 },
      { status: 204, bytes: 0 },
    ]);
  });

  it("hands bytes on while the part is still answering", async () => {
    let rest: ServerResponse | undefined;
    await open((_, response) => {
      rest = response;
      response.write("first");
    });
    const chunks: string[] = [];
    await new Promise<void>((resolve) => {
      httpRequest({ host: "localhost", port: bench.front.port, path: "/slow" }, (response) => {
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk.toString());
          if (chunks.length === 1) rest?.end("second");
        });
        response.on("end", resolve);
      }).end();
    });
    expect(chunks).toEqual(["first", "second"]);
  });

  it("logs one line per request before its answer ends", async () => {
    await open((_, response) => response.end("12345"));
    await bench.send("GET", "/v2/x/manifests/1.0.0?ns=docker.io");
    expect(bench.logged()).toMatchObject([
      { method: "GET", path: "/v2/x/manifests/1.0.0?ns=docker.io", status: 200, bytes: 5 },
    ]);
    expect(Date.parse(bench.logged()[0]?.time ?? "")).not.toBeNaN();
  });

  it("logs a request the client gave up and ends it at the part too", async () => {
    let gone: Promise<unknown> | undefined;
    await open((_, response) => {
      gone = new Promise((resolve) => response.once("close", resolve));
      response.write("begin");
    });
    const request = httpRequest({ host: "localhost", port: bench.front.port, path: "/long" }, (response) => {
      response.on("error", () => {});
      response.once("data", () => request.destroy());
    }).end();
    await expect.poll(() => bench.logged()).toMatchObject([{ path: "/long", status: "aborted" }]);
    await gone;
  });

  it("answers 502 when the part is down, and passes on when the part breaks off", async () => {
    await open((request, response) => {
      if (request.url === "/breaks") response.write("half", () => response.destroy());
    });
    await expect(bench.send("GET", "/breaks")).rejects.toMatchObject({ code: "ECONNRESET" });
    bench.server.closeAllConnections();
    await new Promise((resolve) => bench.server.close(resolve));
    expect(await bench.send("GET", "/down")).toMatchObject({ status: 502 });
  });

  it("refuses connections while closed and comes back on the same port", async () => {
    await open(echo);
    const { port } = bench.front;
    await bench.front.close();
    await expect(bench.send("GET", "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await bench.front.open();
    expect(bench.front.port).toBe(port);
    expect((await bench.send("GET", "/")).status).toBe(201);
  });

  it("takes a port the system gives to nobody who asks for any, lest it be taken while this is closed", async () => {
    await open(echo);
    expect(bench.front.port).toBeGreaterThanOrEqual(lastingPorts[0]);
    expect(bench.front.port).toBeLessThan(lastingPorts[1]);
  });

  it("takes the preferred port when it is free, and another when it is taken", async () => {
    await open(echo);
    const taken = bench.front.port;
    const second = await FrontBench.open(echo, { preferredPort: taken });
    expect(second.front.port).not.toBe(taken);
    expect((await second.send("GET", "/")).status).toBe(201);
    await bench.close();
    await second.close();
    bench = await FrontBench.open(echo, { preferredPort: taken });
    expect(bench.front.port).toBe(taken);
  });
});

describe("a fault rule", () => {
  it("answers with status, headers and a JSON body of its own, without asking the part", async () => {
    await open(echo);
    const body = { errors: [{ code: "TOOMANYREQUESTS" }] };
    bench.setRules({ method: "PUT", status: 429, headers: { "Retry-After": "1" }, body, times: 3 });
    for (let i = 0; i < 3; i++) {
      const answer = await bench.send("PUT", "/m", { body: noise(2_000_000) });
      expect(answer).toMatchObject({
        status: 429,
        headers: { "retry-after": "1", "content-type": "application/json" },
      });
      expect(JSON.parse(answer.body.toString())).toEqual(body);
    }
    expect(bench.seen).toEqual([]);
    expect((await bench.send("PUT", "/m")).status).toBe(201);
    expect(bench.logged().map(({ status }) => status)).toEqual([429, 429, 429, 201]);
  });

  it("may pass an error page off as a success", async () => {
    await open(echo);
    bench.setRules({ status: 200, headers: { "content-type": "text/html" }, body: "<h1>Maintenance</h1>" });
    const answer = await bench.send("GET", "/v2/app/manifests/1.0.0");
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "text/html", "content-length": "20" } });
    expect(answer.body.toString()).toBe("<h1>Maintenance</h1>");
  });

  it("replaces the answer of work done when it forwards", async () => {
    await open(echo);
    bench.setRules({ status: 504, body: "gateway time-out", forward: true, times: 1 });
    expect(await bench.send("PUT", "/m")).toMatchObject({ status: 504, body: Buffer.from("gateway time-out") });
    expect(bench.seen).toEqual(["PUT /m"]);
  });

  it("delays what it matches and nothing else", async () => {
    await open(echo);
    bench.setRules({ path: "^/slow", delayMs: 300 });
    const order: string[] = [];
    await Promise.all(["/slow", "/quick"].map((path) => bench.send("GET", path).then(() => order.push(path))));
    expect(order).toEqual(["/quick", "/slow"]);
  });

  it("slows bodies down without changing them, in both directions", async () => {
    const body = noise(30_000);
    await open((request, response) => {
      void readAll(request).then((sent) => response.end(Buffer.concat([sent, sent])));
    });
    bench.setRules({ bytesPerSecond: 100_000 });
    const chunks: number[] = [];
    const received = await new Promise<Buffer>((resolve, reject) => {
      httpRequest({ host: "localhost", port: bench.front.port, method: "POST" }, (response) => {
        response.on("data", (chunk: Buffer) => chunks.push(chunk.length));
        readAll(response).then(resolve, reject);
      }).end(body);
    });
    expect(sha256(received)).toBe(sha256(Buffer.concat([body, body])));
    expect(Math.max(...chunks)).toBeLessThanOrEqual(20_000);
  });

  it("lets a request whose client has gone while it was delayed go no further", async () => {
    await open(echo);
    bench.setRules({ delayMs: 1_000 });
    const request = httpRequest({ host: "localhost", port: bench.front.port, method: "PUT", path: "/late" });
    request.on("error", () => {}).end();
    await expect.poll(() => bench.used()).toBe(1);
    request.destroy();
    await expect.poll(() => bench.logged()).toMatchObject([{ path: "/late", status: "aborted" }]);
    // This one's delay ends later.
    await bench.send("GET", "/after");
    expect(bench.seen).toEqual(["GET /after"]);
  });
});
