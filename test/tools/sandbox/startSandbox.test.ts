import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Agent, fetch } from "undici";
import { lockHolder } from "../../../components/system/lock";
import { checkout } from "../../../components/engine/checkout";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { startSandbox } from "../../../tools/sandbox/startSandbox";
import { tinyProgram } from "./tinyProgram";

const run = promisify(execFile);
const started: Sandbox[] = [];
const folders: string[] = [];

// The parts are real programs, which may have to be built first.
const timeout = 120_000;

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sandbox-"));
  folders.push(made);
  return made;
}

async function start(...[options]: Parameters<typeof startSandbox>): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  started.push(sandbox);
  return sandbox;
}

async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((sandbox) => sandbox.stop()));
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
}

/** Publishes an artifact of one small blob and returns its digest. */
async function publish(registry: string, repository: string, tag: string): Promise<string> {
  const blob = Buffer.from("{}");
  const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
  const upload = await fetch(`http://${registry}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(upload.headers.get("location") ?? "", `http://${registry}`);
  location.searchParams.set("digest", digest);
  expect((await fetch(location, { method: "PUT", body: blob })).status).toBe(201);
  const descriptor = { mediaType: "application/vnd.oci.empty.v1+json", digest, size: blob.length };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    artifactType: "test/x",
    config: descriptor,
    layers: [descriptor],
  });
  const put = await fetch(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body,
  });
  expect(put.status).toBe(201);
  return put.headers.get("docker-content-digest") ?? "";
}

const accept = { accept: "application/vnd.oci.image.manifest.v1+json" };

describe("a sandbox without builder", { timeout }, () => {
  afterEach(stopAll);

  it.each(["distribution", "olareg"] as const)(
    "serves what was pushed to %s over HTTP and HTTPS, and after a restart on the same port",
    async (registry) => {
      const dir = folder();
      const first = await start({ dir, registry, builders: {} });
      const digest = await publish(first.urls.registry, "mirror/app", "1.0.0");
      const dispatcher = new Agent({ connect: { ca: readFileSync(first.env.NODE_EXTRA_CA_CERTS ?? "") } });
      const secure = await fetch(`https://${first.urls.registry}/v2/mirror/app/manifests/1.0.0`, {
        headers: accept,
        dispatcher,
      });
      expect([secure.status, secure.headers.get("docker-content-digest")]).toEqual([200, digest]);
      await dispatcher.close();
      expect(first.requestLog().map(({ method, status }) => `${method} ${status}`)).toEqual([
        "POST 202",
        "PUT 201",
        "PUT 201",
        "GET 200",
      ]);
      await first.stop();
      const second = await start({ dir, registry, builders: {} });
      expect(second.urls).toEqual(first.urls);
      const again = await fetch(`http://${second.urls.registry}/v2/mirror/app/manifests/${digest}`, {
        headers: accept,
      });
      expect(again.status).toBe(200);
      const referrers = await fetch(`http://${second.urls.registry}/v2/mirror/app/referrers/${digest}`);
      expect(referrers.status).toBe(registry === "olareg" ? 200 : 404);
    },
  );

  it("lives beside another one, but not in the same folder", async () => {
    const dir = folder();
    const [one, two] = [await start({ dir, builders: {} }), await start({ dir: folder(), builders: {} })];
    expect(new Set([...Object.values(one.urls), ...Object.values(two.urls)]).size).toBe(8);
    await expect(startSandbox({ dir, builders: {} })).rejects.toThrow(/is running in .* \(process \d+\)/);
    await publish(one.urls.registry, "mirror/app", "1.0.0");
    expect((await fetch(`http://${two.urls.registry}/v2/mirror/app/tags/list`)).status).toBe(404);
  });

  it("refuses connections while its registry is stopped, and has everything afterwards", async () => {
    const sandbox = await start({ dir: folder(), builders: {} });
    await publish(sandbox.urls.registry, "mirror/app", "1.0.0");
    await sandbox.stopRegistry();
    await expect(fetch(`http://${sandbox.urls.registry}/v2/`)).rejects.toMatchObject({
      cause: { code: "ECONNREFUSED" },
    });
    await sandbox.startRegistry();
    expect((await fetch(`http://${sandbox.urls.registry}/v2/mirror/app/tags/list`)).status).toBe(200);
  });

  it("applies rules to the part they name", async () => {
    const sandbox = await start({ dir: folder(), builders: {}, rules: [{ part: "releases", status: 503 }] });
    sandbox.setReleases("own/app", [{ tag_name: "v1.0.0" }]);
    const releases = `${sandbox.urls.releases}/api/v3/repos/own/app/releases`;
    expect([(await fetch(releases)).status, (await fetch(`http://${sandbox.urls.registry}/v2/`)).status]).toEqual([
      503, 200,
    ]);
    expect(sandbox.ruleStatus()).toMatchObject([{ seen: 1, used: 1 }]);
    sandbox.clearRules();
    expect(await (await fetch(releases)).json()).toMatchObject([{ tag_name: "v1.0.0" }]);
    const file = sandbox.putFile("1.0.0/app.bin", "content");
    expect(await (await fetch(file)).text()).toBe("content");
    expect(sandbox.requestLog("releases").map(({ status }) => status)).toEqual([503, 200]);
  });

  it("refuses names that would leave its folder", async () => {
    const sandbox = await start({ dir: folder(), builders: {} });
    expect(() => sandbox.putFile("../x", "")).toThrow('"../x"');
    expect(() => sandbox.setReleases("a/../../x", [])).toThrow("not accepted");
    await expect(sandbox.createGitRepository("/etc/x", [])).rejects.toThrow("not accepted");
  });

  it("refuses content another registry wrote, and holds no lock afterwards", async () => {
    const dir = folder();
    await start({ dir, registry: "olareg", builders: {} }).then((sandbox) => sandbox.stop());
    await expect(startSandbox({ dir, registry: "distribution", builders: {} })).rejects.toThrow(
      'written by the registry "olareg"',
    );
    expect(existsSync(join(dir, "lock"))).toBe(false);
  });
});

describe.skipIf(process.getuid?.() !== 0)("a sandbox with its builder", { timeout }, () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await start({ dir: folder() });
  }, timeout);
  afterAll(stopAll);

  it("builds from its git server for a foreign platform, runs the foreign program and pushes by digest, also when started again", async () => {
    await sandbox.stopBuilder("mirror");
    await sandbox.startBuilder("mirror");
    const dockerfile = 'FROM scratch\nCOPY program /program\nRUN ["/program"]\n';
    const { url } = await sandbox.createGitRepository("own/app", [
      {
        files: { Dockerfile: dockerfile, program: { content: tinyProgram("arm64"), mode: "100755" } },
        tags: ["v1.0.0"],
      },
    ]);
    const output = `type=image,name=${sandbox.urls.registry}/mirror/app,push=true,push-by-digest=true,name-canonical=true`;
    const args = [
      "build",
      "--platform=linux/arm64",
      "--provenance=false",
      "--output",
      output,
      "--metadata-file",
      join(sandbox.folder, "built.json"),
      `${url}?tag=v1.0.0`,
    ];
    await run("buildx", args, { env: { ...process.env, ...sandbox.env }, timeout });
    const digest = (JSON.parse(readFileSync(join(sandbox.folder, "built.json"), "utf8")) as Record<string, string>)[
      "containerimage.digest"
    ];
    const manifest = await fetch(`http://${sandbox.urls.registry}/v2/mirror/app/manifests/${digest}`, {
      headers: accept,
    });
    expect(manifest.status).toBe(200);
  });

  it("finds base images of other registries in its own", async () => {
    const image = `${sandbox.urls.registry}/docker.io/library/base:1`;
    const env = { ...process.env, ...sandbox.env };
    const build = async (dockerfile: string, ...more: readonly string[]): Promise<void> => {
      const { url } = await sandbox.createGitRepository(`own/base${Math.abs(hash(dockerfile))}`, [
        { files: { Dockerfile: dockerfile, file: "x" } },
      ]);
      await run("buildx", ["build", "--provenance=false", ...more, url], { env, timeout });
    };
    await build("FROM scratch\nCOPY file /file\n", "--output", `type=image,name=${image},push=true`);
    await build("FROM base:1\nCOPY file /again\n", "--output", "type=cacheonly");
    expect(sandbox.requestLog().some(({ path }) => path.startsWith("/v2/docker.io/library/base/manifests/"))).toBe(
      true,
    );
  });
});

describe.skipIf(process.getuid?.() !== 0)("a sandbox whose supervisor is killed", { timeout }, () => {
  afterEach(stopAll);

  it("leaves no process, mount, emulator or lock behind, and starts again", async () => {
    const dir = folder();
    const cli = (...args: readonly string[]): Promise<unknown> =>
      run(
        process.execPath,
        [join(checkout, "tools/run.cjs"), join(checkout, "tools/sandbox.ts"), ...args, "--dir", dir],
        { timeout },
      );
    await cli("start");
    const pid = lockHolder(join(dir, "lock"))!;
    expect(traces(dir, pid)).toEqual({ processes: true, registrations: true });
    process.kill(pid, "SIGKILL");
    await expect.poll(() => traces(dir, pid)).toEqual({ processes: false, registrations: false });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(dir);
    expect(lockHolder(join(dir, "lock"))).toBeUndefined();
    await expect(cli("status")).rejects.toMatchObject({ code: 1 });
    await cli("start");
    await cli("stop");
    // What served it goes when it has said that it is stopped.
    await expect.poll(() => traces(dir, pid)).toEqual({ processes: false, registrations: false });
  });
});

/**
 * Whether anything of a sandbox is left: processes that name its folder, interpreters its supervisor registered. Where the machine
 * has no binfmt_misc mounted, only the builder's own mount namespace shows them.
 */
function traces(dir: string, supervisor: number): { processes: boolean; registrations: boolean } {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const processes = pids.filter((pid) => read(`/proc/${pid}/cmdline`).includes(dir));
  const places = ["", ...processes.map((pid) => `/proc/${pid}/root`)];
  const registered = places.flatMap((place) => list(`${place}/proc/sys/fs/binfmt_misc`));
  return {
    processes: processes.length > 0,
    registrations: registered.some((name) => name.startsWith("mirror-") && name.split("-")[3] === String(supervisor)),
  };
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function hash(text: string): number {
  return createHash("sha256").update(text).digest().readInt32BE(0);
}
