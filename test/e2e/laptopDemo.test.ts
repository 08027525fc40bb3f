import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { outputOf, type ProcessResult, runProcess } from "../../components/system/process";
import { type DockerEngine, startDockerEngine, whyNoDockerEngine } from "../../tools/sandbox/dockerEngine";
import { engineLabel } from "../../tools/sandbox/engine";
import { cacheFolder } from "../../tools/sandbox/layout";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import { tools } from "../../tools/toolchain/tools";
import { writeBuildkitImage } from "./support/buildkitImage";
import { writeProgramImage } from "./support/engineImage";

const missing = whyNoDockerEngine();
if (missing !== undefined) console.log(`the demo is not tried with Docker: ${missing}`);

/** `nobody`: who may use the engine, and nothing else of root's. */
const user = 65534;
/** Programs that come by an installer, from a vendor there may be no way to. */
const installed = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-docker-build"] as const;

describe.skipIf(missing !== undefined)("the demo on a laptop with Docker", () => {
  let folder: string;
  let engine: DockerEngine;
  let emulating: Sandbox;

  beforeAll(async () => {
    // Unix sockets lie in it, whose paths must be short.
    folder = mkdtempSync("/tmp/docker-");
    // The machine has emulators for all: without some of its own those of other sandboxes would come and go meanwhile.
    emulating = await startSandbox({ dir: join(folder, "emulating") });
    engine = await startDockerEngine(join(folder, "engine"), process.env);
    await loadImages();
    await copyForUser();
    chownSync(join(folder, "engine", "docker.sock"), user, user);
    for (const path of [folder, join(folder, "engine")]) chmodSync(path, 0o755);
  });

  afterAll(async () => {
    await engine?.stop();
    await emulating?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const docker = (...args: readonly string[]): Promise<string> =>
    outputOf("docker", ["--host", engine.host, ...args], { limitMs: 120_000 });

  /** Of every program that is published in one; the programs are the toolchain's. */
  async function loadImages(): Promise<void> {
    const file = join(folder, "image.tar");
    await writeBuildkitImage(file, "moby/buildkit:v0.31.0");
    await docker("load", "--input", file);
    for (const { name, vendor } of tools) {
      if (vendor?.by !== "image" || vendor.image.startsWith("moby/buildkit")) continue;
      const { programs } = await ensureTools([name]);
      await writeProgramImage(file, vendor.image, programs.get(name) ?? "", vendor.program);
      await docker("load", "--input", file);
    }
  }

  /** The checkout and what the user has installed; neither Go nor anything that root installs for containers. */
  async function copyForUser(): Promise<void> {
    const listed = await outputOf("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      directory: checkout,
      limitMs: 60_000,
    });
    const files = listed.split("\0").filter((path) => path !== "" && !/^(?:test|bench)\//.test(path));
    for (const path of [...files, "node_modules"])
      await cp(join(checkout, path), join(folder, "checkout", path), { recursive: true, verbatimSymlinks: true });
    const { programs } = await ensureTools(installed);
    for (const name of installed) await cp(programs.get(name) ?? "", join(folder, "bin", name));
    await cp(process.execPath, join(folder, "bin", "node"));
    const client = (await outputOf("which", ["docker"], { limitMs: 10_000 })).trim();
    await symlink(client, join(folder, "bin", "docker"));
    for (const part of ["fixtures", "tried"])
      await cp(join(cacheFolder(), part), join(folder, "cache", part), { recursive: true });
    await mkdir(join(folder, "home"));
    for (const path of ["checkout", "cache", "home"])
      await outputOf("chown", ["--recursive", String(user), join(folder, path)], { limitMs: 60_000 });
  }

  /** What `npm run demo` runs. */
  function demo(
    environment: NodeJS.ProcessEnv = {},
    onLine: (line: string, pid: number) => void = () => undefined,
  ): Promise<ProcessResult> {
    let pid = 0;
    const identity = [`--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
    const words = ["node", "tools/run.cjs", "tools/demo.ts", "--dir", join(folder, "home", "demo")];
    return runProcess("setpriv", [...identity, "--", ...words], {
      directory: join(folder, "checkout"),
      environment: {
        PATH: `${join(folder, "bin")}:/usr/bin:/bin`,
        HOME: join(folder, "home"),
        MIRROR_CACHE: join(folder, "cache"),
        DOCKER_HOST: engine.host,
        ...environment,
      },
      limitMs: 600_000,
      onStart: (started) => (pid = started),
      onLine: (line) => onLine(line, pid),
    });
  }

  const leftBehind = async (): Promise<string> => {
    const label = ["--quiet", "--filter", `label=${engineLabel}`];
    return (await docker("ps", "--all", ...label)) + (await docker("volume", "ls", ...label));
  };

  it("says what it needs where Docker may not be used", async () => {
    const { status, stderr } = await demo({ MIRROR_SANDBOX_DOCKER: "off" });
    expect(status).toBe(1);
    expect(stderr).toContain("not root, which runc and its mounts need; start Docker");
  });

  it("mirrors with neither root nor Go, says what comes from the engine, and leaves nothing in it", async () => {
    const { status, stdout, stderr } = await demo();
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/olareg +0\.2\.1 +Docker \(ghcr\.io\/olareg\/olareg:v0\.2\.1\)/);
    expect(stdout).toMatch(/buildkitd +0\.31\.0 +Docker \(moby\/buildkit:v0\.31\.0\)/);
    expect(stdout).toMatch(/cosign +3\.1\.3 +copied from ghcr\.io\/sigstore\/cosign\/cosign:v3\.1\.3/);
    expect(stdout).not.toContain("built from source");
    expect(stdout).toMatch(/linux\/arm64 +linux\/arm64 +aarch64/);
    expect(stdout).toContain("requests that write or delete, as the registry logged them: 0");
    expect(await leftBehind()).toBe("");
  });

  it.each(["SIGINT", "SIGKILL"] as const)("leaves nothing in the engine when it is ended by %s", async (signal) => {
    let during: Promise<string> | undefined;
    await demo({}, (line, pid) => {
      if (!line.includes("pulumi preview: the images") || during) return;
      during = leftBehind().finally(() => process.kill(pid, signal));
    });
    // BuildKit with its cache, and the registry.
    expect((await during)?.trim().split("\n")).toHaveLength(3);
    await vi.waitFor(async () => expect(await leftBehind()).toBe(""), { timeout: 30_000, interval: 500 });
  });
});
