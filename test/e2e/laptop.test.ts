import { mkdir, symlink, writeFile } from "node:fs/promises";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { runProcess } from "../../components/system/process";
import { type DockerEngine, startDockerEngine, whyNoDockerEngine } from "../../tools/sandbox/dockerEngine";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import { shortcomings } from "../faults/support/shortcomings";
import { signingByKey } from "../faults/support/signedBundles";
import { writeBuildkitImage } from "./support/buildkitImage";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { tinyApp } from "./support/tinyUpstream";

const registry = "registry.example.test";
const missing = whyNoDockerEngine();
if (missing !== undefined) console.log(`the way from a laptop is not tried: ${missing}`);

describe.skipIf(missing !== undefined)("the README's way from a laptop with Docker", () => {
  let folder: string;
  let mirror: MirrorUnderTest;
  let engine: DockerEngine;
  let environment: Record<string, string>;

  beforeAll(async () => {
    // Unix sockets lie in it, whose paths must be short.
    folder = mkdtempSync("/tmp/docker-");
    const authentication = { mode: "token", user: "mirror", password: "correct horse" } as const;
    mirror = await MirrorUnderTest.start({
      // Its builder is there for the emulators, which the machine has for all: those of other sandboxes come and go.
      sandbox: { registryName: registry, authentication },
      apps: tinyApp("1.0.0"),
      settings: { builder: undefined },
    });
    mirror.configure({ attest: signingByKey(mirror) });
    engine = await startDockerEngine(join(folder, "engine"), mirror.environment());
    const { programs } = await ensureTools(["buildx"]);
    const docker = join(folder, "config");
    await mkdir(join(docker, "cli-plugins"), { recursive: true });
    await symlink(programs.get("buildx") ?? "", join(docker, "cli-plugins", "docker-buildx"));
    environment = {
      DOCKER_CONFIG: docker,
      DOCKER_HOST: engine.host,
      BUILDX_CONFIG: join(docker, "buildx"),
      BUILDX_BUILDER: "",
    };
    await writeBuildkitImage(join(folder, "buildkit.tar"));
    await type(`docker load --input ${join(folder, "buildkit.tar")}`);
  });

  afterAll(async () => {
    if (engine) await type("docker buildx rm multiarch-mirror").catch(() => undefined);
    await engine?.stop();
    await mirror?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function type(line: string): Promise<string> {
    const { status, stdout, stderr } = await runProcess("bash", ["-euo", "pipefail", "-c", line], {
      directory: mirror.program,
      environment: { ...mirror.environment(environment), PULUMI_SKIP_CONFIRMATIONS: "true" },
      limitMs: 600_000,
    });
    expect(status, `${line}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** The line of the README's section about it that begins so, without its comment. */
  function line(beginning: string): string {
    const section = readFileSync(join(checkout, "README.md"), "utf8").split("## Use it on a real registry")[1] ?? "";
    const found = section
      .split("\n")
      .map((text) => text.trim().replace(/ +#.*/, ""))
      .find((text) => text.startsWith(beginning));
    if (found === undefined) throw new Error(`no line of the README begins with ${beginning}`);
    return found.replace("--stack prod", "--stack test");
  }

  it("logs in, makes a builder, shows what is missing and publishes it", async () => {
    const login = line("docker login").replace("ghcr.io", registry);
    await type(`${login} --username mirror --password-stdin <<< 'correct horse'`);
    // Of no use elsewhere: its engine has no network, and the registry a certificate of its own and no address.
    const { SSL_CERT_FILE = "", HTTPS_PROXY = "", NO_PROXY = "" } = mirror.sandbox.env;
    const config = join(folder, "buildkitd.toml");
    await writeFile(config, `[registry.${JSON.stringify(registry)}]\nca = [${JSON.stringify(SSL_CERT_FILE)}]\n`);
    const network = `--driver-opt 'network=host,env.HTTPS_PROXY=${HTTPS_PROXY},"env.NO_PROXY=${NO_PROXY}"'`;
    await type(`${line("docker buildx create")} ${network} --buildkitd-config ${config}`);
    expect(await type(line("pulumi preview"))).toMatch(/1\.0\.0 +missing +will build +will build/);
    await type(line("pulumi up"));
    expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
  });
});
