import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, pipeline } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restApi, restApiOptions } from "../../components/discover/restApi";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Starts an API and returns its address and the requests it got. */
async function api(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  const requests: IncomingMessage[] = [];
  const started = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const { port } = started.address() as AddressInfo;
  const options = {
    ...restApiOptions({ baseUrl: `http://127.0.0.1:${port}`, token: "canary" }, {}),
    retryDelay: 1,
  };
  return { options, requests };
}

describe("restApi", () => {
  it("returns status, headers and body as the official provider does", async () => {
    const { options, requests } = await api((_, response) => {
      response.writeHead(200, { "x-github-request-id": "A1", link: '<next>; rel="next"' }).end('[{"tag_name":"v1"}]');
    });
    const answer = await restApi("repos/a/b/releases?per_page=100", options);
    expect(answer).toMatchObject({
      id: "A1",
      endpoint: "repos/a/b/releases?per_page=100",
      code: 200,
      status: "200 OK",
      body: '[{"tag_name":"v1"}]',
    });
    expect(JSON.parse(answer.headers)).toMatchObject({ "X-Github-Request-Id": ["A1"], Link: ['<next>; rel="next"'] });
    expect(requests[0]?.url).toBe("/api/v3/repos/a/b/releases?per_page=100");
    expect(requests[0]?.headers.authorization).toBe("Bearer canary");
  });

  it("sends no authorisation without a token", async () => {
    const { options, requests } = await api((_, response) => response.end("[]"));
    await restApi("rate_limit", { ...options, token: undefined });
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  it("returns 404 as an answer", async () => {
    const { options } = await api((_, response) => response.writeHead(404).end('{"message":"Not Found"}'));
    expect(await restApi("repos/a/b", options)).toMatchObject({ code: 404, status: "404 Not Found" });
  });

  it.each([202, 401, 403, 422, 429])("fails on %i at once, and tells neither token nor body", async (status) => {
    const { options, requests } = await api((_, response) => response.writeHead(status).end("body-canary"));
    const failure: unknown = await restApi("repos/a/b", options).catch((error: unknown) => error);
    expect(String(failure)).toContain(`/api/v3/repos/a/b: ${status}`);
    expect(String(failure)).not.toContain("canary");
    expect(requests).toHaveLength(1);
  });

  it.each([500, 502, 503, 504])("tries again after %i", async (status) => {
    const { options, requests } = await api((_, response, count) =>
      response.writeHead(count < 3 ? status : 200).end("[]"),
    );
    expect((await restApi("repos/a/b", options)).code).toBe(200);
    expect(requests).toHaveLength(3);
  });

  it("gives up after the retries configured", async () => {
    const { options, requests } = await api((_, response) => response.writeHead(503).end());
    await expect(restApi("repos/a/b", { ...options, maxRetries: 1 })).rejects.toThrow("503");
    expect(requests).toHaveLength(2);
  });

  it.each([
    [
      "a secondary limit",
      { "retry-after": "0" },
      '{"documentation_url": "https://docs.github.com/x#secondary-rate-limits"}',
    ],
    ["a limit used up", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" }, "{}"],
  ])("waits as told after %s", async (_, headers, body) => {
    const { options, requests } = await api((__, response, count) =>
      response.writeHead(count === 1 ? 403 : 200, headers).end(count === 1 ? body : "[]"),
    );
    expect((await restApi("repos/a/b", options)).code).toBe(200);
    expect(requests).toHaveLength(2);
  });

  it("does not wait an hour for a new quota", async () => {
    const reset = String(Math.floor(Date.now() / 1000) + 3600);
    const { options, requests } = await api((_, response) =>
      response.writeHead(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }).end(),
    );
    await expect(restApi("repos/a/b", options)).rejects.toThrow("403");
    expect(requests).toHaveLength(1);
  });

  it("tries again when nobody answers, and names the address in the end", async () => {
    const { options, requests } = await api((request) => request.destroy());
    await expect(restApi("repos/a/b", { ...options, maxRetries: 1 })).rejects.toThrow(/GET http:.*repos\/a\/b: /);
    expect(requests.length).toBeGreaterThanOrEqual(2);
  });

  it("reads no further than 64 MiB", async () => {
    const blanks = Buffer.alloc(1024 * 1024, " ");
    const { options } = await api((_, response) => {
      pipeline(Readable.from(Array.from({ length: 100 }, () => blanks)), response, () => undefined);
    });
    await expect(restApi("repos/a/b/releases", { ...options, maxRetries: 0 })).rejects.toThrow(
      "the answer is longer than 67108864 bytes",
    );
  });

  it.each(["http://github.com", "https://github.com/api/v3", "http://acme.ghe.com/"])(
    "refuses the base URL %s, as the official provider does",
    async (baseUrl) => {
      const { options } = await api((_, response) => response.end("[]"));
      await expect(restApi("meta", { ...options, baseUrl })).rejects.toThrow("accepted is https:// without a path");
    },
  );

  it.each(["https://evil.example/x", "//evil.example/x", "http:/\\evil.example"])(
    "does not take the token elsewhere: %s",
    async (endpoint) => {
      const { options, requests } = await api((_, response) => response.end("[]"));
      await expect(restApi(endpoint, options)).rejects.toThrow("leads away");
      expect(requests).toHaveLength(0);
    },
  );

  describe("with a folder for answers", () => {
    let kept: string;
    beforeEach(() => (kept = mkdtempSync(join(tmpdir(), "rest-api-"))));
    afterEach(() => rmSync(kept, { recursive: true, force: true }));
    const tagged = (request: IncomingMessage, response: ServerResponse): void => {
      const holds = request.headers["if-none-match"] === '"one"';
      response.writeHead(holds ? 304 : 200, { etag: '"one"', link: '<next>; rel="next"' }).end(holds ? "" : "[1]");
    };

    it("asks only whether the answer it has still holds, and gives the very same", async () => {
      const { options, requests } = await api(tagged);
      const [first, second] = [
        await restApi("repos/a/b", { ...options, kept }),
        await restApi("repos/a/b", { ...options, kept }),
      ];
      expect(second).toEqual(first);
      expect(requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"one"']);
    });

    it("takes a new answer in its place, and never that of another address", async () => {
      let version = 1;
      const { options, requests } = await api((_, response) =>
        response.writeHead(200, { etag: `"${version}"` }).end(`[${version}]`),
      );
      await restApi("repos/a/b", { ...options, kept });
      version = 2;
      expect((await restApi("repos/a/b", { ...options, kept })).body).toBe("[2]");
      await restApi("repos/a/c", { ...options, kept });
      await restApi("repos/a/b", { ...options, kept });
      expect(requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"', undefined, '"2"']);
    });

    it("keeps nothing without a token, for which asking so counts as well", async () => {
      const { options, requests } = await api(tagged);
      const anonymous = { ...options, token: undefined, kept };
      await restApi("repos/a/b", anonymous);
      await restApi("repos/a/b", anonymous);
      expect(requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, undefined]);
      expect(readdirSync(kept)).toEqual([]);
    });

    it("keeps nothing but 200, and asks anew when what it kept was damaged", async () => {
      let status = 404;
      const { options, requests } = await api((_, response) => response.writeHead(status, { etag: '"x"' }).end("{}"));
      await restApi("repos/a/b", { ...options, kept });
      expect(readdirSync(kept)).toEqual([]);
      status = 200;
      await restApi("repos/a/b", { ...options, kept });
      for (const name of readdirSync(kept)) writeFileSync(join(kept, name), "{");
      expect((await restApi("repos/a/b", { ...options, kept })).code).toBe(200);
      expect(requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, undefined, undefined]);
    });
  });
});
