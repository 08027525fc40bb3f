import { spawn, spawnSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkout } from "../../../components/engine/checkout";

// "npm ci" of a fresh clone: leaves the library that loads TypeScript, and npm's record of what is installed.
const fakeNpm = `#!/bin/sh
echo "$*" >> npm.log
[ -z "$FAKE_NPM_FAILS" ] || { echo "npm error network" >&2; exit 1; }
sleep 0.2
mkdir -p node_modules
ln -sfn ${JSON.stringify(path.join(checkout, "node_modules/esbuild"))} node_modules/esbuild
cp package-lock.json node_modules/.package-lock.json
`;

let root: string;
let environment: NodeJS.ProcessEnv;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "run-"));
  await mkdir(path.join(root, "tools"));
  await mkdir(path.join(root, "bin"));
  await mkdir(path.join(root, "components/engine"), { recursive: true });
  for (const name of ["tools/run.cjs", "components/engine/typescript.cjs"])
    await copyFile(path.join(checkout, name), path.join(root, name));
  await writeFile(path.join(root, "bin", "npm"), fakeNpm);
  await chmod(path.join(root, "bin", "npm"), 0o755);
  await lock("1.0.0");
  await writeFile(
    path.join(root, "script.ts"),
    `if (process.argv[2] === "exit") process.exit(7);
     if (process.argv[2] === "wait") { process.on("SIGTERM", () => process.exit(3)); setInterval(() => {}, 1000); }
     console.log(JSON.stringify(process.argv.slice(2)));`,
  );
  environment = { ...process.env, PATH: `${path.join(root, "bin")}:${process.env["PATH"] ?? ""}` };
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function lock(version: string): Promise<void> {
  const packages = { "": {}, "node_modules/a": { version } };
  await writeFile(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
}

function run(...args: string[]) {
  return spawnSync(process.execPath, ["tools/run.cjs", ...args], { cwd: root, env: environment, encoding: "utf8" });
}

async function installs(): Promise<number> {
  const log = await readFile(path.join(root, "npm.log"), "utf8").catch(() => "");
  return log.split("\n").length - 1;
}

describe("run.cjs", () => {
  it("installs the libraries of a fresh clone, once, and passes arguments on", async () => {
    const first = run("script.ts", "a b", "--c");
    expect(first.stdout).toBe('["a b","--c"]\n');
    expect(first.stderr).toContain("npm ci");
    expect(run("script.ts").stderr).toBe("");
    expect(await installs()).toBe(1);
  });

  it("installs again when the lock file changed", async () => {
    run("script.ts");
    await lock("1.0.1");
    run("script.ts");
    expect(await installs()).toBe(2);
  });

  it("leaves libraries alone that npm was told by hand to install", async () => {
    run("script.ts");
    await lock("1.0.1");
    const record = { packages: { "node_modules/a": { version: "1.0.1" } } };
    await writeFile(path.join(root, "node_modules", ".package-lock.json"), JSON.stringify(record));
    run("script.ts");
    expect(await installs()).toBe(1);
  });

  it("installs once when two start at the same time", async () => {
    const starts = [1, 2].map(
      () =>
        new Promise((resolve) =>
          spawn(process.execPath, ["tools/run.cjs", "script.ts"], { cwd: root, env: environment }).on("exit", resolve),
        ),
    );
    expect(await Promise.all(starts)).toEqual([0, 0]);
    expect(await installs()).toBe(1);
  });

  it("leaves libraries of development out where npm was told to, for what runs in production", async () => {
    const record = { packages: { "": {}, "node_modules/a": { version: "1.0.0" } } };
    const packages = { ...record.packages, "node_modules/b": { version: "1.0.0", dev: true } };
    run("script.ts");
    await writeFile(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
    await mkdir(path.join(root, "commands"));
    await copyFile(path.join(root, "script.ts"), path.join(root, "commands", "script.ts"));
    expect(run("commands/script.ts").stdout).toBe("[]\n");
    expect(await installs()).toBe(1);
    expect(run("script.ts").stdout).toBe("[]\n");
    expect(await installs()).toBe(2);
  });

  it("takes nothing for installed that only other platforms need, and an old version of it for missing", async () => {
    const optional = (version: string) => ({ version, optional: true });
    const packages = { "": {}, "node_modules/a": { version: "1.0.0" }, "node_modules/b": optional("2.0.0") };
    await writeFile(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
    run("script.ts");
    const record = path.join(root, "node_modules", ".package-lock.json");
    await writeFile(record, JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } }));
    run("script.ts");
    expect(await installs()).toBe(1);
    await writeFile(record, JSON.stringify({ packages: { ...packages, "node_modules/b": optional("1.0.0") } }));
    run("script.ts");
    expect(await installs()).toBe(2);
  });

  it("says what to do about an npm that was killed, and installs when that is done", async () => {
    const lock = path.join(root, ".installing");
    await mkdir(lock);
    await utimes(lock, 0, 0);
    const failed = run("script.ts");
    expect([failed.status, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toBe(`npm ci was killed: remove ${JSON.stringify(lock)} and retry\n`);
    await rm(lock, { recursive: true });
    expect(run("script.ts").status).toBe(0);
  });

  it("shows where a script went wrong", async () => {
    await writeFile(path.join(root, "wrong.ts"), `const text: string = "no";\n\nthrow new Error(text);\n`);
    const failed = run("wrong.ts");
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringMatching(/wrong\.ts:3:7/)]);
  });

  it("fails when npm does, and tries again the next time", async () => {
    environment["FAKE_NPM_FAILS"] = "yes";
    const failed = run("script.ts");
    expect([failed.status, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toMatch(/npm error network[^]*npm ci in .* failed \(1\), see above/);
    expect((await readFile(path.join(root, "npm.log"), "utf8")).trim()).toBe("ci --include=dev --loglevel=error");
    delete environment["FAKE_NPM_FAILS"];
    expect(run("script.ts").status).toBe(0);
  });

  it("ends as the script ends", () => {
    expect(run("script.ts", "exit").status).toBe(7);
  });

  it("passes SIGTERM on and lets the script finish", async () => {
    run("script.ts");
    const child = spawn(process.execPath, ["tools/run.cjs", "script.ts", "wait"], { cwd: root, env: environment });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(3);
  });

  it("tells how it is used", () => {
    expect(run().stderr).toContain("usage: node tools/run.cjs SCRIPT.ts");
  });
});
