import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputOf } from "../../components/system/process";
import { type DockerEngine, startDockerEngine, whyNoDockerEngine } from "../../tools/sandbox/dockerEngine";
import { usableEngine } from "../../tools/sandbox/engine";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import { writeBuildkitImage } from "./support/buildkitImage";
import { writeProgramImage } from "./support/engineImage";
import { debianLayer } from "./upstream/debianLayer";
import { layerOf } from "./upstream/layer";

const missing = whyNoDockerEngine();
if (missing !== undefined) console.log(`Docker Desktop is not played: ${missing}`);

const desktop = { address: "172.31.254.1" };
const before = process.env["DOCKER_HOST"];

describe.skipIf(missing !== undefined)("a sandbox in an engine with a network of its own", () => {
  let folder: string;
  let engine: DockerEngine;
  let sandbox: Sandbox;
  const relays: Server[] = [];

  beforeAll(async () => {
    folder = mkdtempSync("/tmp/desktop-");
    engine = await startDockerEngine(join(folder, "engine"), process.env, desktop);
    process.env["DOCKER_HOST"] = engine.host;
    const file = join(folder, "image.tar");
    const load = (): Promise<string> => outputOf("docker", ["load", "--input", file], { limitMs: 120_000 });
    await writeBuildkitImage(file, "moby/buildkit:v0.31.0", [
      await debianLayer(process.arch === "arm64" ? "linux/arm64" : "linux/amd64", ["busybox"]),
      // Debian's BusyBox spells the option otherwise than that in BuildKit's own image.
      await layerOf([{ name: "usr/bin/nc", mode: 0o755, body: netcat }]),
    ]);
    await load();
    const { programs } = await ensureTools(["registry"]);
    await writeProgramImage(file, "registry:3.0.0", programs.get("registry") ?? "", "/bin/registry");
    await load();
  });

  afterAll(async () => {
    for (const relay of relays) relay.close();
    await sandbox?.stop();
    if (before === undefined) delete process.env["DOCKER_HOST"];
    else process.env["DOCKER_HOST"] = before;
    await engine?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** Docker Desktop leads what containers ask of `host.docker.internal` to loopback. */
  async function relay(port: number): Promise<void> {
    const server = createServer((client) => {
      const upstream = connect(port, "127.0.0.1");
      for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => server.listen(port, desktop.address, resolve));
    relays.push(server);
  }

  it("builds from its git server and pushes to its registry under the names clients have for them", async () => {
    const found = await usableEngine("registry", () => undefined);
    expect(found?.sharesNetwork).toBe(false);
    sandbox = await startSandbox({ dir: join(folder, "sandbox"), ...(found && { engine: found }) });
    const { registry, git, releases, files } = sandbox.urls;
    for (const url of [`http://${registry}`, git, releases, files]) await relay(Number(new URL(url).port));
    const dockerfile = "FROM scratch\nCOPY Dockerfile /\n";
    const { url } = await sandbox.createGitRepository("app", [
      { message: "first", files: { Dockerfile: dockerfile }, tags: ["v1"] },
    ]);
    const image = `${registry}/mirror/app:1`;
    const platforms = ["--platform", "linux/amd64,linux/arm64"];
    const options = { environment: { ...process.env, ...sandbox.env }, limitMs: 120_000 };
    const push = ["--push", "--provenance=false", "--tag", image, `${url}#v1`];
    await outputOf("buildx", ["build", ...platforms, ...push], options);
    const got = ["image", "get-file", "--platform", "linux/arm64", image, "/Dockerfile"];
    expect(await outputOf("regctl", got, options)).toBe(dockerfile);
    // It passed the front, which keeps the log, and not the registry behind it.
    expect(sandbox.requestLog().some(({ method }) => method === "PUT")).toBe(true);
  });
});

const netcat = `#!/bin/sh
if [ "$1" = -lk ]; then
  shift
  exec busybox nc -ll "$@"
fi
exec busybox nc "$@"
`;
