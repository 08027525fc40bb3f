import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { MirrorUnderTest } from "./mirrorUnderTest";

const run = promisify(execFile);

interface RuntimeSpec {
  readonly process: object;
  readonly root: object;
}

/**
 * Runs an image of this machine's own platform as its configuration says, in namespaces of its own, asks for an address
 * from within its network, and ends it. @returns what curl printed.
 */
export async function askService(mirror: MirrorUnderTest, image: string, url: string): Promise<string> {
  const folder = await mkdtemp("/tmp/service-");
  const runc = ["--root", join(folder, "runc")];
  const name = `service-${process.pid}`;
  const env = mirror.environment();
  try {
    const { config } = JSON.parse(await mirror.registry.regctl("image", "inspect", image)) as {
      config: { Cmd: readonly string[]; Env: readonly string[]; WorkingDir: string };
    };
    await unpack(mirror, image, join(folder, "rootfs"));
    await run("runc", ["spec", "--bundle", folder], { env });
    const spec = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as RuntimeSpec;
    const started = { terminal: false, args: config.Cmd, env: config.Env, cwd: config.WorkingDir };
    const changed = { ...spec, process: { ...spec.process, ...started }, root: { path: "rootfs", readonly: false } };
    writeFileSync(join(folder, "config.json"), JSON.stringify(changed));
    const begun = run("runc", [...runc, "run", "--bundle", folder, name], { env });
    const early = begun.then(
      () => "it ended",
      (error: unknown) => String(error),
    );
    const answer = await Promise.race([
      poll(runc, name, url, env),
      early.then((why) => Promise.reject(new Error(why))),
    ]);
    return answer;
  } finally {
    await run("runc", [...runc, "delete", "--force", name], { env }).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpack(mirror: MirrorUnderTest, image: string, folder: string): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, "..", "Dockerfile"), `FROM ${image}\n`);
  const archive = join(folder, "..", "rootfs.tar");
  await run(
    "buildx",
    [
      "build",
      "--builder",
      "mirror",
      "--output",
      `type=tar,dest=${archive}`,
      "--file",
      join(folder, "..", "Dockerfile"),
      folder,
    ],
    { env: mirror.environment(), timeout: 600_000 },
  );
  await run("tar", ["-xf", archive, "-C", folder]);
}

/** Asks until there is an answer; the service takes a while to start. */
async function poll(runc: readonly string[], name: string, url: string, env: NodeJS.ProcessEnv): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { stdout: state } = await run("runc", [...runc, "state", name], { env });
      const { pid } = JSON.parse(state) as { pid: number };
      const curl = ["curl", "--silent", "--show-error", "--fail", "--max-time", "30", url];
      return (await run("nsenter", ["--target", String(pid), "--net", ...curl], { env })).stdout;
    } catch (error) {
      if (attempt === 120) throw error;
      await wait(1_000);
    }
  }
}
