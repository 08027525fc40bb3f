import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileServer } from "../../../tools/sandbox/fileServer";
import { gitEnvironment, writeGitRepository } from "../../../tools/sandbox/gitRepository";
import { createGitServer } from "../../../tools/sandbox/gitServer";
import { createReleaseApi } from "../../../tools/sandbox/releaseApi";

const run = promisify(execFile);
let folder: string;
let server: Server;
let base: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "servers-"));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function serve(created: Server): Promise<void> {
  server = created.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run("git", [...args], { env: { ...gitEnvironment(), GIT_TERMINAL_PROMPT: "0" }, maxBuffer: 1 << 26 }))
    .stdout;
}

describe("the git server", () => {
  it("lists lightweight and annotated tags with the commits they stand for", async () => {
    const [first, second] = await writeGitRepository(join(folder, "own/app.git"), [
      { files: { VERSION: "1" }, tags: ["v1.0.0"] },
      { files: { VERSION: "2" }, tags: [{ name: "v1.1.0", message: "annotated" }, "v1.1.0$(touch${IFS}canary)"] },
    ]);
    await serve(createGitServer(folder));
    const refs = new Map(
      (await git("ls-remote", `${base}/own/app.git`))
        .trim()
        .split("\n")
        .map((line) => line.split("\t").toReversed() as [string, string]),
    );
    expect(refs.get("refs/tags/v1.0.0")).toBe(first);
    expect(refs.get("refs/tags/v1.1.0^{}")).toBe(second);
    expect(refs.get("refs/tags/v1.1.0")).not.toBe(second);
    expect(refs.get("refs/tags/v1.1.0$(touch${IFS}canary)")).toBe(second);
    expect(refs.get("refs/heads/main")).toBe(second);
  });

  it("hands out a single commit without its files, as a partial fetch asks for it", async () => {
    const [first = ""] = await writeGitRepository(join(folder, "app.git"), [
      { files: { Dockerfile: "FROM scratch\n" } },
      { files: {} },
    ]);
    await serve(createGitServer(folder));
    const clone = join(folder, "clone");
    await git("init", "-q", clone);
    await git("-C", clone, "fetch", "-q", "--depth=1", "--filter=blob:none", `${base}/app.git`, first);
    expect((await git("-C", clone, "ls-tree", "--name-only", first)).trim()).toBe("Dockerfile");
  });

  it("keeps modes and bytes, and shows a moved tag and later commits", async () => {
    const path = join(folder, "app.git");
    const binary = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0x0a]);
    await writeGitRepository(path, [{ files: { run: { content: binary, mode: "100755" } }, tags: ["v1"] }]);
    const [moved] = await writeGitRepository(path, [{ files: { other: "x" }, tags: ["v1"] }]);
    await serve(createGitServer(folder));
    await git("clone", "-q", `${base}/app.git`, join(folder, "clone"));
    expect((await git("-C", join(folder, "clone"), "rev-list", "--count", "HEAD")).trim()).toBe("2");
    expect((await git("-C", join(folder, "clone"), "rev-parse", "v1")).trim()).toBe(moved);
    await git("-C", join(folder, "clone"), "checkout", "-q", "HEAD~1");
    expect(readFileSync(join(folder, "clone", "run"))).toEqual(binary);
    expect(await git("-C", join(folder, "clone"), "ls-files", "-s", "run")).toMatch(/^100755 /);
  });

  it("gives commits the same hashes every time", async () => {
    const commits = [{ files: { a: "1" } }, { files: { a: "2" }, tags: ["v1"] }];
    const twice = [
      await writeGitRepository(join(folder, "1.git"), commits),
      await writeGitRepository(join(folder, "2.git"), commits),
    ];
    await serve(createGitServer(folder));
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0]?.[0]).toMatch(/^[0-9a-f]{40}$/);
  });

  it("takes ten thousand tags", async () => {
    const tags = Array.from({ length: 10_000 }, (_, i) => `v1.0.${i}`);
    await writeGitRepository(join(folder, "many.git"), [{ files: {}, tags }]);
    await serve(createGitServer(folder));
    const lines = (await git("ls-remote", "--tags", `${base}/many.git`)).trim().split("\n");
    expect(lines).toHaveLength(10_000);
  });

  it("refuses pushes, unknown repositories and what lies outside", async () => {
    await writeGitRepository(join(folder, "repositories/app.git"), [{ files: {} }]);
    await writeGitRepository(join(folder, "secret.git"), [{ files: {} }]);
    await serve(createGitServer(join(folder, "repositories")));
    await expect(
      git("-C", join(folder, "repositories/app.git"), "push", `${base}/app.git`, "main:other"),
    ).rejects.toThrow();
    await expect(git("ls-remote", `${base}/unknown.git`)).rejects.toThrow();
    expect((await fetch(`${base}/..%2fsecret.git/info/refs?service=git-upload-pack`)).status).not.toBe(200);
  });
});

describe("the release API", () => {
  beforeEach(async () => {
    mkdirSync(join(folder, "releases/own"), { recursive: true });
    const list = Array.from({ length: 250 }, (_, i) => ({ tag_name: `v1.0.${i}`, prerelease: i === 3 }));
    writeFileSync(join(folder, "releases/own/app.json"), JSON.stringify(list));
    await writeGitRepository(join(folder, "git/own/app.git"), [
      { files: {}, tags: ["v1.0.0", { name: "v1.0.1", message: "m" }] },
    ]);
    await serve(createReleaseApi(join(folder, "releases"), join(folder, "git")));
  });

  const get = async (path: string): Promise<{ status: number; link: string | null; body: unknown }> => {
    const response = await fetch(new URL(path, base));
    return { status: response.status, link: response.headers.get("link"), body: await response.json() };
  };

  it("pages through everything by the Link header alone", async () => {
    const tags: string[] = [];
    let next: string | undefined = "/api/v3/repos/own/app/releases?per_page=100";
    while (next !== undefined) {
      const { body, link } = await get(next);
      tags.push(...(body as readonly { tag_name: string }[]).map(({ tag_name }) => tag_name));
      next = /<([^>]+)>; rel="next"/.exec(link ?? "")?.[1];
    }
    expect(tags).toEqual(Array.from({ length: 250 }, (_, i) => `v1.0.${i}`));
  });

  it("gives thirty a page unless asked, and an empty page after the last", async () => {
    expect((await get("/api/v3/repos/own/app/releases")).body).toHaveLength(30);
    expect((await get("/api/v3/repos/own/app/releases?per_page=100&page=4")).body).toEqual([]);
    const third = (await get("/api/v3/repos/own/app/releases?per_page=2&page=2")).body;
    expect(third).toMatchObject([
      { tag_name: "v1.0.2", prerelease: false, draft: false },
      { tag_name: "v1.0.3", prerelease: true },
    ]);
  });

  it("answers for git references with the objects of the sandbox's repository", async () => {
    const { body } = await get("/api/v3/repos/own/app/git/matching-refs/tags/v1");
    const [light, annotated] = body as readonly { ref: string; object: { sha: string; type: string } }[];
    expect([light, annotated]).toMatchObject([
      { ref: "refs/tags/v1.0.0", object: { type: "commit" } },
      { ref: "refs/tags/v1.0.1", object: { type: "tag" } },
    ]);
    const peeled = await get(`/api/v3/repos/own/app/git/tags/${annotated?.object.sha}`);
    expect(peeled.body).toMatchObject({ object: { type: "commit", sha: light?.object.sha } });
    expect((await get("/api/v3/repos/own/app/git/ref/tags/v1.0.0")).body).toMatchObject({
      object: { sha: light?.object.sha },
    });
    expect((await get("/api/v3/repos/own/app/git/ref/tags/v9")).status).toBe(404);
  });

  it("does not know other repositories", async () => {
    expect((await get("/api/v3/repos/own/other/releases")).status).toBe(404);
    expect((await get("/api/v3/repos/../own/releases")).status).toBe(404);
  });
});

describe("the file server", () => {
  beforeEach(async () => {
    mkdirSync(join(folder, "files/1.0"), { recursive: true });
    writeFileSync(join(folder, "files/1.0/app.bin"), "0123456789");
    writeFileSync(join(folder, "outside"), "secret");
    await serve(createFileServer(join(folder, "files")));
  });

  it("serves GET and HEAD with the length", async () => {
    const head = await fetch(`${base}/1.0/app.bin`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), head.headers.get("accept-ranges")]).toEqual([
      200,
      "10",
      "bytes",
    ]);
    expect(await (await fetch(`${base}/1.0/app.bin`)).text()).toBe("0123456789");
  });

  it.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=0-1,4-5", 200, "0123456789", null],
  ])("answers Range: %s with %i", async (range, status, body, contentRange) => {
    const response = await fetch(`${base}/1.0/app.bin`, { headers: { range } });
    expect([response.status, await response.text(), response.headers.get("content-range")]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  it("answers 404 for what is missing, for folders and for what lies outside", async () => {
    for (const path of ["/1.0/none", "/1.0", "/%2e%2e/outside", "/..%2foutside"]) {
      expect((await fetch(`${base}${path}`)).status).toBe(404);
    }
  });
});
