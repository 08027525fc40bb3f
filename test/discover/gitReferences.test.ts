import { execFile } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { discover } from "../../components/discover/discover";
import { gitListCommand, readRemoteReferences } from "../../components/discover/gitReferences";
import { fakeUpstream } from "./fakeUpstream";
const run = promisify(execFile);
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

/** As the `command` provider does it: the interpreter's words, then the command. */
async function list(url: string): Promise<string> {
  const { interpreter, command, environment } = gitListCommand(url);
  const [program = "", ...words] = interpreter;
  const { stdout } = await run(program, [...words, command], {
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", ...environment },
    timeout: 20_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trimEnd();
}

describe("gitListCommand", () => {
  it("is an argument vector for git that ends in the URL, asks for nothing and logs nothing", () => {
    const { interpreter, command, environment, logging } = gitListCommand("https://example.org/x.git");
    expect(interpreter[0]).toBe("git");
    expect(interpreter.at(-1)).toBe("--");
    expect(command).toBe("https://example.org/x.git");
    expect(environment).toEqual({ GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" });
    expect(logging).toBe("none");
  });

  it("lets git use the URL's own transport and no other", () => {
    expect(gitListCommand("https://example.org/x.git").interpreter).toContain("protocol.https.allow=always");
    expect(gitListCommand("https://example.org/x.git").interpreter).not.toContain("protocol.http.allow=always");
    expect(gitListCommand("http://localhost/x.git").interpreter).not.toContain("protocol.https.allow=always");
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
    await expect(list(`${origin}/x.git`)).rejects.toMatchObject({ code: 128 });
  });

  it.each([
    ["404", 404, ""],
    ["401, without asking anybody for a password", 401, ""],
    ["503", 503, ""],
  ])("fails on %s", async (_, status, body) => {
    const origin = await serve((_request, response) => {
      response.writeHead(status, { "www-authenticate": "Basic realm=x" }).end(body);
    });
    await expect(list(`${origin}/x.git`)).rejects.toMatchObject({ code: 128 });
  });

  it("fails when nobody listens", async () => {
    const origin = await serve(() => undefined);
    closers.splice(0).forEach((close) => close());
    await expect(list(`${origin}/x.git`)).rejects.toMatchObject({ code: 128 });
  });

  it.each(["/tmp", "file:///tmp", "ext::sh -c id", "ssh://127.0.0.1/x.git", "git://127.0.0.1/x.git"])(
    "would not reach %j even if a check before it failed",
    async (url) => {
      await expect(list(url)).rejects.toMatchObject({ stderr: expect.stringMatching(/transport '\w+' not allowed/) });
    },
  );

  it("follows no redirect to another transport", async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(302, { location: "https://127.0.0.1:9/x.git/info/refs?service=git-upload-pack" }).end();
    });
    await expect(list(`${origin}/x.git`)).rejects.toMatchObject({
      stderr: expect.stringMatching(/Protocol .*https.* not supported|not allowed|disabled/i),
    });
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
