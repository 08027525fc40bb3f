import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readSource, type SourceRequest } from "../../components/discover/sourceTree";
import { SourceTreeError } from "../../components/discover/gitRepository";

const identity = {
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "C",
  GIT_COMMITTER_EMAIL: "c@example.org",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2026-02-03T04:05:06+02:00",
  GIT_CONFIG_GLOBAL: "/dev/null",
};
const home = mkdtempSync(join(tmpdir(), "source-tree-"));
const work = join(home, "work");
const git = (...words: string[]): string =>
  execFileSync("git", words, { cwd: work, env: { ...process.env, ...identity }, encoding: "utf8" }).trim();

/** How the server behaves, and what it was asked. */
let mode: "serve" | "no-commits" | "down" | "silent" | "page" = "serve";
let requests = 0;
let cacheDirectory = "";
let server: Server;
let url = "";
let commit = "";
let later = "";
const children = new Set<ChildProcess>();

beforeAll(async () => {
  mkdirSync(join(work, "server/build"), { recursive: true });
  mkdirSync(join(work, "large"));
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", work]);
  writeFileSync(join(work, "Dockerfile"), "FROM one\n");
  writeFileSync(join(work, "server/build/Dockerfile"), "FROM two\n");
  writeFileSync(join(work, "large/file"), "x".repeat(1024 * 1024 + 1));
  writeFileSync(join(work, "binary"), Buffer.from([0xff, 0xfe, 0x00]));
  writeFileSync(join(work, "strange *[x]"), "literal\n");
  symlinkSync("../server/build/Dockerfile", join(work, "large/linked"));
  symlinkSync("server", join(work, "folder"));
  symlinkSync("../../etc/passwd", join(work, "outside"));
  symlinkSync("/etc/passwd", join(work, "absolute"));
  symlinkSync("loop", join(work, "loop"));
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
  commit = git("rev-parse", "HEAD");
  git("tag", "--annotate", "--message=tag", "v1.0.0");
  writeFileSync(join(work, "Dockerfile"), "FROM three\n");
  git("commit", "--quiet", "--all", "--message=second");
  later = git("rev-parse", "HEAD");
  git("tag", "moved");
  git("clone", "--quiet", "--bare", work, join(home, "repository.git"));
  git("-C", join(home, "repository.git"), "config", "uploadpack.allowFilter", "true");
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repository.git`;
});

afterAll(() => {
  for (const child of children) child.kill();
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(() => {
  mode = "serve";
  requests = 0;
  cacheDirectory = mkdtempSync(join(home, "cache-"));
});

function serve(request: IncomingMessage, response: ServerResponse): void {
  requests++;
  if (mode === "silent") return;
  if (mode === "down") return void response.writeHead(503).end("\u001b[31m::error::down");
  if (mode === "page") return void response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  // Version 2 of the protocol serves every commit; without it, git's server hands out only what a name points at.
  const protocol = mode === "no-commits" ? {} : { GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "") };
  const backend = spawn("git", ["http-backend"], {
    env: {
      ...process.env,
      ...protocol,
      GIT_PROJECT_ROOT: home,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
    },
  });
  children.add(backend);
  request.pipe(backend.stdin);
  const pieces: Buffer[] = [];
  backend.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  backend.on("close", () => {
    children.delete(backend);
    const output = Buffer.concat(pieces);
    const end = output.indexOf("\r\n\r\n");
    const headers = output
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]);
    const status = headers.find(([name]) => name === "Status")?.[1];
    response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), Object.fromEntries(headers));
    response.end(output.subarray(end + 4));
  });
}

function read(request: Partial<SourceRequest> = {}) {
  return readSource({ url, commit, paths: ["Dockerfile"], cacheDirectory, ...request });
}

async function failureOf(request: Partial<SourceRequest>): Promise<SourceTreeError> {
  const failure = await read(request).catch((caught: unknown) => caught);
  if (failure instanceof SourceTreeError) return failure;
  throw new Error(`expected a SourceTreeError, not ${String(failure)}`);
}

describe("reading files of a commit", () => {
  it("reads the files of the commit asked for, not of the newest one, and its date", async () => {
    const { files, committedAt } = await read({ paths: ["Dockerfile", "server/build/Dockerfile"] });
    expect(Object.fromEntries(files)).toEqual({ Dockerfile: "FROM one\n", "server/build/Dockerfile": "FROM two\n" });
    expect(committedAt).toBe("2026-02-03T04:05:06+02:00");
    expect((await read({ commit: later })).files.get("Dockerfile")).toBe("FROM three\n");
  });

  it("answers undefined for a file that is not there, and for a folder", async () => {
    const { files } = await read({ paths: ["Dockerfile.base", "server", "server/none", "Dockerfile/none"] });
    expect([...files.values()]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("tells what differs from the needed file by case alone, now and when asked again", async () => {
    for (const how of ["fetched", "kept"]) {
      const { misspelt } = await read({ paths: ["DOCKERFILE", "none"], needed: ["DOCKERFILE", "none"] });
      expect([...(misspelt ?? [])], how).toEqual([["DOCKERFILE", "Dockerfile"]]);
      const deeper = "server/build/dockerfile";
      const { misspelt: below } = await read({ paths: [deeper], needed: [deeper], commit: later });
      expect(below?.get(deeper)).toBe("server/build/Dockerfile");
    }
  });

  it("takes characters that are patterns elsewhere as they are", async () => {
    expect((await read({ paths: ["strange *[x]"] })).files.get("strange *[x]")).toBe("literal\n");
    expect((await read({ paths: ["Docker*"] })).files.get("Docker*")).toBeUndefined();
  });

  it("follows symbolic links to files and through folders within the tree", async () => {
    const { files } = await read({ paths: ["large/linked", "folder/build/Dockerfile"] });
    expect([...files.values()]).toEqual(["FROM two\n", "FROM two\n"]);
  });

  it("says which of them are read through a link, from what it has kept too", async () => {
    const paths = ["large/linked", "folder/build/Dockerfile", "server/build/Dockerfile", "nothing"];
    for (let tries = 0; tries < 2; tries++)
      expect((await read({ paths })).linked).toEqual(["large/linked", "folder/build/Dockerfile"]);
  });

  it.each([
    ["outside", /symbolic link out of the repository/],
    ["absolute", /symbolic link out of the repository/],
    ["loop", /too many symbolic links/],
    ["large/file", /larger than accepted/],
    ["binary", /not UTF-8 text/],
  ])("refuses %s", async (path, message) => {
    const failure = await failureOf({ paths: [path] });
    expect(failure.fault).toBe("content");
    expect(failure.message).toMatch(message);
  });

  it("asks nothing for what it has read before, and asks for what it has not", async () => {
    await read();
    const asked = requests;
    expect((await read()).files.get("Dockerfile")).toBe("FROM one\n");
    expect(requests).toBe(asked);
    expect((await read({ paths: ["Dockerfile", "server/build/Dockerfile"] })).files.size).toBe(2);
    expect(requests).toBeGreaterThan(asked);
  });

  it("reads anew when the kept answer was cut off", async () => {
    await read();
    const [folder = ""] = readdirSync(join(cacheDirectory, "sources"));
    writeFileSync(join(cacheDirectory, "sources", folder, `${commit}.json`), '{"committedAt"');
    expect((await read()).files.get("Dockerfile")).toBe("FROM one\n");
  });

  it("serves several readers at once and leaves no half-made folder behind", async () => {
    const trees = await Promise.all([commit, later, commit, later].map((each) => read({ commit: each })));
    expect(trees.map(({ files }) => files.get("Dockerfile"))).toEqual([
      "FROM one\n",
      "FROM three\n",
      "FROM one\n",
      "FROM three\n",
    ]);
    expect(readdirSync(join(cacheDirectory, "fetching"))).toEqual([]);
  });
});

describe("a host that does not serve bare commits", () => {
  beforeEach(() => {
    mode = "no-commits";
  });

  it("is asked for the tag, which must still be at the commit", async () => {
    const { files } = await read({ reference: { kind: "tag", name: "v1.0.0" } });
    expect(files.get("Dockerfile")).toBe("FROM one\n");
  });

  it("is asked for the branch", async () => {
    const { files } = await read({ commit: later, reference: { kind: "branch", name: "main" } });
    expect(files.get("Dockerfile")).toBe("FROM three\n");
  });

  it("whose tag has moved gives an error that says so", async () => {
    const failure = await failureOf({ reference: { kind: "tag", name: "moved" } });
    expect(failure.fault).toBe("moved");
    expect(failure.message).toContain(`is at ${later}, not at ${commit}`);
  });

  it("gives an error when there is no tag to ask for", async () => {
    expect((await failureOf({})).fault).toBe("git");
  });
});

describe("a host in trouble", () => {
  it.each(["down", "page"] as const)("(%s) gives an error, never a missing file", async (trouble) => {
    mode = trouble;
    const failure = await failureOf({});
    expect(failure.fault).toBe("git");
    expect(failure.message).toContain(JSON.stringify(url));
    expect(failure.message).not.toMatch(/\u001b|::error/);
    expect(readdirSync(join(cacheDirectory, "fetching"))).toEqual([]);
  });

  it("that never answers is given up on", async () => {
    mode = "silent";
    expect((await failureOf({ timeoutMs: 500 })).message).toContain("no answer within 500 ms");
  });

  it("that does not have the commit gives an error", async () => {
    expect((await failureOf({ commit: "0123456789".repeat(4) })).fault).toBe("git");
  });
});

describe("requests that are refused before anything is asked", () => {
  it.each([
    [{ paths: ["../etc/passwd"] }],
    [{ paths: ["/etc/passwd"] }],
    [{ paths: ["a/../b"] }],
    [{ paths: ["a//b"] }],
    [{ paths: ["./a"] }],
    [{ paths: ["-a"] }],
    [{ paths: ["a\0b"] }],
    [{ paths: ["a\nb"] }],
    [{ paths: [""] }],
    [{ commit: "main" }],
    [{ commit: "--upload-pack=touch" }],
    [{ commit: "ABCDEF0123".repeat(4) }],
    [{ url: "file:///etc" }],
    [{ url: "ext::sh -c id" }],
    [{ url: "https://user:word@example.org/a.git" }],
    [{ url: "http://example.org/a.git" }],
    [{ url: "--upload-pack=id" }],
    [{ reference: { kind: "tag", name: "v1:refs/heads/x" } as const }],
    [{ reference: { kind: "tag", name: "a..b" } as const }],
    [{ reference: { kind: "tag", name: "" } as const }],
  ])("%j", async (request) => {
    expect((await failureOf(request)).fault).toBe("input");
    expect(requests).toBe(0);
    expect(readdirSync(cacheDirectory)).toEqual([]);
  });
});
