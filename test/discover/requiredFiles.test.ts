import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { probeFiles } from "../../components/discover/requiredFiles";
import { FileHost, hastyClock } from "./fileHost";
import { fileTransport } from "../../components/discover/upstreamFiles";

let host: FileHost;
const transport = fileTransport({ environment: {}, clock: hastyClock() });

beforeEach(async () => {
  host = new FileHost();
  await host.open();
});
afterEach(() => host.close());

async function probe(url: string) {
  const [answer] = await probeFiles([{ url }], { transport });
  return answer;
}

describe("asking whether upstream offers a file", () => {
  it.each([
    // HEAD, GET, state
    [200, 200, "available"],
    [403, 200, "available"],
    [404, 200, "available"],
    [405, 206, "available"],
    [501, 206, "available"],
    [404, 404, "missing"],
    [410, 410, "missing"],
    [404, 410, "missing"],
    [405, 404, "missing"],
    [501, 404, "missing"],
    [403, 403, "unknown"],
    [401, 401, "unknown"],
    [403, 404, "unknown"],
    [401, 404, "unknown"],
    [404, 403, "unknown"],
    [500, 500, "unknown"],
    [503, 404, "unknown"],
    [404, 503, "unknown"],
    [429, 429, "unknown"],
    [400, 400, "unknown"],
    [416, 416, "unknown"],
    [204, 204, "unknown"],
  ])("HEAD %i and GET %i: %s", async (head, get, state) => {
    const url = host.status("/file", head, get);
    expect(await probe(url)).toMatchObject({ url, state });
  });

  it("downloads nothing: one HEAD, or besides the first byte", async () => {
    let range: unknown;
    let dropped: () => void;
    const isDropped = new Promise<void>((resolve) => (dropped = resolve));
    host.answers.set("/file", (request, response) => {
      range = request.headers.range;
      if (request.method === "HEAD") return void response.writeHead(403).end();
      response.writeHead(200, { "content-length": "1000000000" });
      response.on("close", () => dropped());
      return void response.write("x");
    });
    expect(await probe(host.url("/file"))).toMatchObject({ state: "available" });
    expect(range).toBe("bytes=0-0");
    // The host has sent one byte of very many; only a reader that hangs up ends this.
    await isDropped;
    host.body("/other", "y");
    await probe(host.url("/other"));
    expect(host.asked.filter((line) => line.endsWith("/other"))).toEqual(["HEAD /other"]);
  });

  it("does not take a web page for a file, unless a page is wanted", async () => {
    const headers = { "content-type": "text/html; charset=utf-8" };
    expect(await probe(host.status("/app.tar.gz", 200, 200, headers))).toMatchObject({
      state: "unknown",
      reason: expect.stringContaining("answers a web page") as string,
    });
    expect(await probe(host.status("/manual.html", 200, 200, headers))).toMatchObject({ state: "available" });
  });

  it("tries again when the host is broken for a moment", async () => {
    let tries = 0;
    host.answers.set("/file", (_request, response) => void response.writeHead(++tries < 3 ? 503 : 200).end());
    expect(await probe(host.url("/file"))).toMatchObject({ state: "available" });
    expect(tries).toBe(3);
  });

  it("follows redirects, and takes a loop of them for trouble", async () => {
    host.status("/file", 302, 302, { location: "/moved" });
    host.status("/moved", 200);
    expect(await probe(host.url("/file"))).toMatchObject({ state: "available" });
    expect(await probe(host.status("/loop", 302, 302, { location: "/loop" }))).toMatchObject({ state: "unknown" });
  });

  it("takes a cut connection for trouble, never for a missing file", async () => {
    host.answers.set("/file", (request) => request.socket.destroy());
    expect(await probe(host.url("/file"))).toMatchObject({ state: "unknown" });
  });

  it("takes a host that does not answer for trouble", async () => {
    const impatient = fileTransport({ environment: {}, clock: hastyClock(), requestTimeoutMs: 50 });
    host.answers.set("/file", () => undefined);
    const [answer] = await probeFiles([{ url: host.url("/file") }], { transport: impatient });
    expect(answer).toMatchObject({ state: "unknown" });
  });

  it("takes nobody listening for trouble", async () => {
    const url = host.url("/file");
    host.close();
    expect(await probe(url)).toMatchObject({ state: "unknown" });
  });

  it("asks for the sum file too, and names the one that is missing", async () => {
    const url = host.status("/file", 200);
    const sums = { url: host.url("/file.sha512"), algorithm: "sha512" } as const;
    const [answer] = await probeFiles([{ url, sums }], { transport });
    expect(answer).toEqual({ url, state: "missing", reason: `"${sums.url}" answers 404` });
  });

  it("answers for each file in the order given", async () => {
    const urls = [host.status("/one", 200), host.url("/two"), host.status("/three", 403)];
    const answers = await probeFiles(
      urls.map((url) => ({ url })),
      { transport },
    );
    expect(answers.map(({ url, state }) => [url, state])).toEqual([
      [urls[0], "available"],
      [urls[1], "missing"],
      [urls[2], "unknown"],
    ]);
  });

  it.each([
    "http://example.org/file",
    "file:///etc/passwd",
    "https://user@example.org/file",
    "https://example.org/a b",
    "https://example.org/#x",
    "x",
  ])("refuses the address %j before anything is asked", async (url) => {
    const known = host.status("/known", 200);
    await expect(probeFiles([{ url: known }, { url }], { transport })).rejects.toThrow("is not the address of a file");
    expect(host.asked).toEqual([]);
  });
});
