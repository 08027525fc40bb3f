import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RequiredFile } from "../../components/model/appSpecification";
import { type ChecksumOptions, resolveChecksums } from "../../components/discover/fileChecksums";
import { FileHost, hastyClock } from "./fileHost";
import { fileTransport } from "../../components/discover/upstreamFiles";

const content = Buffer.from("the program");
const [sha256, sha512] = (["sha256", "sha512"] as const).map((name) =>
  createHash(name).update(content).digest("hex"),
) as [string, string];
const transport = fileTransport({ environment: {}, clock: hastyClock() });
let host: FileHost;
let cacheDirectory: string;
let url: string;

beforeEach(async () => {
  cacheDirectory = mkdtempSync(join(tmpdir(), "checksums-"));
  host = new FileHost();
  await host.open();
  url = host.body("/v1/app-amd64", content);
});
afterEach(() => {
  host.close();
  rmSync(cacheDirectory, { recursive: true });
});

async function resolve(
  file: Partial<RequiredFile>,
  options: Partial<ChecksumOptions> = {},
): Promise<string | undefined> {
  const sums = await resolveChecksums([{ url, checksumArgument: "SUM", ...file }], {
    transport,
    cacheDirectory,
    ...options,
  });
  return sums.get(url);
}

describe("a download", () => {
  it("that never ends is given up, though a little comes all the time", async () => {
    const drip = createServer((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => drip.listen(0, "127.0.0.1", resolve));
    const { port } = drip.address() as AddressInfo;
    const file = { url: `http://127.0.0.1:${port}/app`, sha512, checksumArgument: "SUM" };
    const slow = fileTransport({ environment: {}, clock: hastyClock(), streamLimitMs: 500 });
    await expect(resolveChecksums([file], { transport: slow, cacheDirectory })).rejects.toThrow(
      "the download took longer than 0.5 s, the most it may take",
    );
    drip.closeAllConnections();
    drip.close();
  });
});

describe("the checksum of a required file", () => {
  it("is the SHA-256 given, without a request", async () => {
    expect(await resolve({ sha256: sha256.toUpperCase() })).toBe(`sha256:${sha256}`);
    expect(host.asked).toEqual([]);
  });

  it("comes from the published SHA-256 sums, without downloading the file", async () => {
    const sums = {
      url: host.body("/v1/SHA256SUMS", `${"0".repeat(64)}  other\n${sha256}  app-amd64\n`),
      algorithm: "sha256",
    } as const;
    expect(await resolve({ sums })).toBe(`sha256:${sha256}`);
    expect(host.asked).toEqual(["GET /v1/SHA256SUMS"]);
  });

  it("is computed from one verified download when only SHA-512 is published, and kept", async () => {
    const sums = { url: host.body("/v1/app-amd64.sha512", `${sha512}  build/app\n`), algorithm: "sha512" } as const;
    expect(await resolve({ sums })).toBe(`sha256:${sha256}`);
    expect(await resolve({ sums })).toBe(`sha256:${sha256}`);
    expect(host.asked.filter((line) => line === "GET /v1/app-amd64")).toHaveLength(1);
  });

  it("is not taken from what was kept for another SHA-512", async () => {
    await resolve({ sha512 });
    await expect(resolve({ sha512: "0".repeat(128) })).rejects.toThrow("it was changed, or not sent whole");
  });

  it("is left out when nobody asks for it and nothing is known", async () => {
    expect(await resolveChecksums([{ url }], { transport, cacheDirectory })).toEqual(new Map());
  });

  it.each([
    ["no source of sums", {}, "but no checksum"],
    ["a malformed SHA-256", { sha256: "abc" }, "accepted are 64 hex digits"],
    ["a malformed SHA-512", { sha512: "abc" }, "accepted are 128 hex digits"],
    ["another SHA-512", { sha512: "f".repeat(128) }, `has the sha512 ${sha512}`],
  ])("is refused with %s", async (_case, file, problem) => {
    await expect(resolve(file)).rejects.toThrow(problem);
  });

  it("is an error when the sums are missing, or are a web page", async () => {
    const missing = { url: host.url("/none"), algorithm: "sha256" } as const;
    await expect(resolve({ sums: missing })).rejects.toThrow("the answer was status 404");
    const page = { url: host.body("/page", "<html>"), algorithm: "sha256" } as const;
    await expect(resolve({ sums: page })).rejects.toThrow("line 1 is no sha256 sum");
  });

  it("is an error when the download is cut off", async () => {
    host.answers.set("/v1/app-amd64", (_request, response) => {
      response.writeHead(200, { "content-length": String(content.length) });
      response.write(content.subarray(0, 3), () => response.destroy());
    });
    await expect(resolve({ sha512 })).rejects.toThrow("cannot be downloaded");
  });

  it("is an error when the file is longer than accepted, and is missing", async () => {
    await expect(resolve({ sha512 }, { sizeLimit: content.length - 1 })).rejects.toThrow("longer than 10 bytes");
    expect(await resolve({ sha512 }, { sizeLimit: content.length })).toBe(`sha256:${sha256}`);
    host.status("/v1/app-amd64", 404);
    await expect(resolve({ sha512: "1".repeat(128) })).rejects.toThrow("the answer was status 404");
  });
});
