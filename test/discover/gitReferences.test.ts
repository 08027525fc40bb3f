import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { discover } from "../../components/discover/discover";
import { listRemote, readRemoteReferences, throughRedirect } from "../../components/discover/gitReferences";
import { readSource } from "../../components/discover/sourceTree";
import { fileTransport } from "../../components/discover/upstreamFiles";
import { PrivateHosts } from "../../components/registry/privateHosts";
import { fakeUpstream } from "./fakeUpstream";

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A repository over git's plain ("dumb") HTTP protocol: its list of references is a file. */
function repository(references: string): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ url = "" }, response) => {
    const files: Readonly<Record<string, string>> = {
      "/x.git/info/refs": references,
      "/x.git/HEAD": "ref: refs/heads/main\n",
    };
    const body = files[url.split("?")[0] ?? ""];
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "text/plain" }).end(body);
  };
}

async function list(url: string): Promise<string> {
  return (await listRemote(url, { limitMs: 120_000 })).trimEnd();
}

describe("the list of a remote repository's references", () => {
  it("is given up when its server keeps it coming without an end", async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const timer = setInterval(() => response.write(`${"1".repeat(40)}\trefs/tags/v1.0.0\n`.repeat(50)), 20);
      response.on("close", () => clearInterval(timer));
    });
    await expect(listRemote(`${origin}/x.git`, { limitMs: 1_000 })).rejects.toThrow(
      "git ls-remote took longer than 1 s",
    );
  });

  it("is given up when it is longer than any list", async () => {
    const line = `${"1".repeat(40)}\trefs/tags/v1.0.0\n`;
    const origin = await serve(repository(line.repeat(1000)));
    await expect(listRemote(`${origin}/x.git`, { outputLimit: 10_000 })).rejects.toThrow(
      "git ls-remote wrote more than 10000 bytes",
    );
  });

  it("lists branches and tags, hostile names included, and nothing else of a real git over HTTP", async () => {
    const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(40));
    const names = [
      `${first}\trefs/heads/main`,
      `${first}\trefs/pull/1/head`,
      `${second}\trefs/tags/v1.0.0`,
      `${third}\trefs/tags/v1.0.0^{}`,
      `${second}\trefs/tags/v1.0.1$(touch\u00a0canary);id`,
      `${second}\trefs/tags/--upload-pack=id`,
    ];
    const origin = await serve(repository(names.map((line) => `${line}\n`).join("")));
    const { tags, branches } = readRemoteReferences(await list(`${origin}/x.git`));
    expect([...branches]).toEqual([["main", first]]);
    expect([...tags].toSorted()).toEqual([
      ["--upload-pack=id", second],
      ["v1.0.0", third],
      ["v1.0.1$(touch\u00a0canary);id", second],
    ]);
  });

  it("lists ten thousand tags", async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, index) => `${String(index).padStart(40, "0")}\trefs/tags/v1.0.${index}\n`,
    );
    const origin = await serve(repository(lines.join("")));
    expect(readRemoteReferences(await list(`${origin}/x.git`)).tags.size).toBe(10_000);
  });

  it("reads a page that is no git repository as one without references, which discovery takes for a failure", async () => {
    const origin = await serve((_request, response) => response.end("<html></html>"));
    expect(await list(`${origin}/x.git`)).toBe("");
    const specification = { name: "x", source: { kind: "gitTags", url: `${origin}/x.git` } } as const;
    const edges = { ...fakeUpstream({}), listRemote: list };
    await expect(discover(specification, { edges })).rejects.toThrow(/it offers no version/);
  });

  it("fails when the answer is cut off", async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": "1000" });
      response.write(`${"1".repeat(40)}\trefs/tags/v1.0.0\n`, () => response.destroy());
    });
    await expect(list(`${origin}/x.git`)).rejects.toThrow(/^git ls-remote ended with status 128: /);
  });

  it.each([
    ["404", 404, ""],
    ["401, without asking anybody for a password", 401, ""],
    ["503", 503, ""],
  ])("fails on %s", async (_, status, body) => {
    const origin = await serve((_request, response) => {
      response.writeHead(status, { "www-authenticate": "Basic realm=x" }).end(body);
    });
    await expect(list(`${origin}/x.git`)).rejects.toThrow(/^git ls-remote ended with status 128: /);
  });

  it("fails when nobody listens", async () => {
    const origin = await serve(() => undefined);
    closers.splice(0).forEach((close) => close());
    await expect(list(`${origin}/x.git`)).rejects.toThrow(/^git ls-remote ended with status 128: /);
  });

  it.each(["/tmp", "file:///tmp", "ext::sh -c id", "ssh://127.0.0.1/x.git", "git://127.0.0.1/x.git"])(
    "would not reach %j even if a check before it failed",
    async (url) => {
      await expect(list(url)).rejects.toThrow(/transport '\w+' not allowed/);
    },
  );
});

describe("a repository that redirects", () => {
  const transport = fileTransport({ environment: {}, hosts: new PrivateHosts([], {}) });
  const through = (url: string): Promise<string> => throughRedirect(url, transport, list);

  it.each([301, 302, 303, 307, 308])("with %i is read where that leads to", async (status) => {
    const commit = "1".repeat(40);
    const there = await serve(repository(`${commit}\trefs/tags/v1.0.0\n`));
    const origin = await serve(({ url = "" }, response) => {
      response.writeHead(status, { location: `${there}${url.replace("/old/", "/")}` }).end();
    });
    await expect(list(`${origin}/old/x.git`)).rejects.toThrow(`returned error: ${status}`);
    expect(await through(`${origin}/old/x.git`)).toBe(`${commit}\trefs/tags/v1.0.0`);
  });

  it.each([
    ["https://10.1.2.3", /names "10\.1\.2\.3", which is on this machine or a private network/],
    ["https://169.254.169.254", /names "169\.254\.169\.254", which is on this machine or a private network/],
    ["https://[fd00::1]", /names "\[fd00::1\]", which is on this machine or a private network/],
    ["http://192.0.2.1", /redirected to "http:\/\/192\.0\.2\.1"; accepted are/],
    ["file:///etc", /redirected to "null"; accepted are/],
  ])("to %s is refused, and nothing is asked there", async (target, said) => {
    const origin = await serve(({ url = "" }, response) => {
      response.writeHead(302, { location: `${target}${url}` }).end();
    });
    await expect(through(`${origin}/x.git`)).rejects.toThrow(said);
  });

  it("to a page is named", async () => {
    const there = await serve((_request, response) => response.end("<html></html>"));
    const origin = await serve((_request, response) => {
      response.writeHead(302, { location: `${there}/login` }).end();
    });
    await expect(through(`${origin}/x.git`)).rejects.toThrow(/redirects to "http:.*", and there to no git repository/);
  });

  it("of whose commit files are wanted is not followed by git either", async () => {
    const asked: string[] = [];
    const there = await serve(({ url = "" }, response) => {
      asked.push(url);
      response.writeHead(404).end();
    });
    const origin = await serve(({ url = "" }, response) => {
      response.writeHead(302, { location: `${there}${url}` }).end();
    });
    const folder = mkdtempSync(join(tmpdir(), "redirected-"));
    const request = { url: `${origin}/x.git`, commit: "1".repeat(40), paths: ["Dockerfile"], cacheDirectory: folder };
    await expect(readSource(request)).rejects.toThrow("returned error: 302");
    expect(asked).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe("readRemoteReferences", () => {
  const commit = "a".repeat(40);

  it("reads an empty repository as one without references", () => {
    expect(readRemoteReferences("")).toEqual({ tags: new Map(), branches: new Map() });
  });

  it("does not depend on the peeled line coming second", () => {
    const peeled = "b".repeat(40);
    const lines = [`${peeled}\trefs/tags/v1^{}`, `${commit}\trefs/tags/v1`];
    expect(readRemoteReferences(lines.join("\n")).tags.get("v1")).toBe(peeled);
    expect(readRemoteReferences(lines.toReversed().join("\n")).tags.get("v1")).toBe(peeled);
  });

  it.each([
    `${commit} refs/tags/v1`,
    `${commit}\trefs/tags/`,
    `${commit.toUpperCase()}\trefs/tags/v1`,
    `${commit}\trefs/tags/v1\r`,
    `${commit}\tHEAD`,
    "warning: redirecting",
  ])("refuses %j", (line) => {
    expect(() => readRemoteReferences(`${commit}\trefs/tags/v0\n${line}`)).toThrow(/git ls-remote printed/);
  });
});
