import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";

let mirror: MirrorUnderTest;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "try-"));
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }, { version: "1.1.0" }]);
      await tinyUpstream(sandbox, "wrong", [{ version: "1.0.0", swapped: { "linux/arm64": "linux/amd64" } }]);
      await tinyUpstream(sandbox, "top", [
        { version: "1.1.0", dockerfile: tinyDockerfile.replace("FROM scratch", "FROM example/tiny") },
      ]);
      return {
        tiny: tinyAppFile(sandbox, "tiny", '\n  buildArguments: () => ({ FLAVOUR: "plain" }),'),
        wrong: tinyAppFile(sandbox, "wrong"),
        top: tinyAppFile(sandbox, "top", '\n  bases: [{ context: "example/tiny", app: "tiny" }],'),
      };
    },
  });
});

afterAll(async () => {
  await mirror?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `npm run try` on the mirror's program. */
async function tried(...args: readonly string[]) {
  const argv = [join(checkout, "tools", "run.cjs"), join(checkout, "commands", "try.ts")];
  return promisify(execFile)(process.execPath, [...argv, "--stack", "test", "--project", mirror.program, ...args], {
    ...{ cwd: checkout, env: mirror.environment(), timeout: 300_000 },
  }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    },
  );
}

it("builds, checks and shows the highest version, and publishes nothing", async () => {
  mirror.mark();
  const run = await tried("tiny", "--platform", "linux/arm64");
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(run.stdout).toMatch(/^tiny 1\.1\.0 for linux\/arm64\n {2}source: tag v1\.1\.0, commit [0-9a-f]{40}\n/);
  expect(run.stdout).toMatch(/ {2}argument FLAVOUR=plain\n/);
  expect(run.stdout).toMatch(/note: the build argument "FLAVOUR" has no effect/);
  expect(run.stdout).toMatch(/checked: tiny 1\.1\.0 linux\/arm64: 1 program checked in .*smoke command took/);
  expect(run.stdout).toMatch(/it printed "tiny 1\.1\.0\\n"\nNothing was published\.\n$/);
  expect(mirror.writes()).toEqual([]);
  expect(await mirror.registry.tags("tiny")).toEqual([]);
});

it("takes a version by its name and leaves the image where it is told to, for other tools to read", async () => {
  const output = join(folder, "image");
  const run = await tried("tiny@v1.0.0", "--platform", "linux/amd64", "--output", output);
  expect([run.status, run.stderr]).toEqual([0, ""]);
  const inspected = await mirror.registry.regctl("image", "inspect", `ocidir://${output}`);
  expect(JSON.parse(inspected)).toMatchObject({
    architecture: "amd64",
    config: { Labels: { "org.opencontainers.image.version": "1.0.0" } },
  });
});

it("builds the app it stands on first, where that is published nowhere", async () => {
  mirror.mark();
  const run = await tried("top", "--platform", "linux/amd64");
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(run.stdout).toMatch(/base example\/tiny: tiny 1\.1\.0, built here/);
  expect(mirror.writes()).toEqual([]);
});

it("says what is wrong with an image, a name, a version, a platform", async () => {
  const wrong = await tried("wrong", "--platform", "linux/arm64");
  expect([wrong.status, wrong.stderr]).toEqual([
    1,
    expect.stringMatching(/^wrong: linux\/arm64: "\/bin\/tiny" is an executable for amd64/),
  ]);
  expect(await tried("tny")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/"tny": there is no such app, did you mean "tiny"/) as string,
  });
  expect(await tried("tiny@9")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/"9": there is no such version; the highest are 1\.1\.0, 1\.0\.0/) as string,
  });
  expect(await tried("tiny", "--platform", "linux/x")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/--platform: "linux\/x"; accepted are/) as string,
  });
  expect(existsSync(join(folder, "nothing"))).toBe(false);
});
