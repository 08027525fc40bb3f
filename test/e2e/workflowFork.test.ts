import { execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { copyFiles } from "./support/forkFiles";
import { ForkSite } from "./support/forkSite";
import { tinyUpstream } from "./support/tinyUpstream";
import type { WorkflowFork } from "./support/workflowRun";

const execute = promisify(execFile);

let site: ForkSite;
let folder: string;
let fork: WorkflowFork;

/** What the GitHub CLI was asked for. */
const asked = (): readonly string[] => readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");
/** The fork on the machine of whoever makes it. */
const clone = (): string => join(folder, "multiarch-mirror");

/** The commands of a step of docs/operations.md. */
function commandsOf(step: number): readonly string[] {
  const page = readFileSync(join(checkout, "docs", "operations.md"), "utf8");
  const line = page.split("\n").find((text) => text.startsWith(`${step}. `)) ?? "";
  return [...line.matchAll(/`([^`]+)`/g)].map(([, command]) => command!);
}

/** The GitHub CLI, of an account whose name has a capital letter: it forks, says who it is, and notes the rest. */
const gh = `#!/bin/sh
echo "$*" >>"$GH_ASKED"
case "$*" in
  "repo fork "*) git clone --quiet "$GH_ORIGIN" multiarch-mirror ;;
  *ascii_downcase*) echo forker ;;
  "api user "*) echo Forker ;;
esac
`;

async function follow(step: number): Promise<void> {
  const environment = {
    ...process.env,
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    GH_ASKED: join(folder, "asked"),
    GH_ORIGIN: join(folder, "origin"),
    ...{
      GIT_AUTHOR_NAME: "F",
      GIT_AUTHOR_EMAIL: "f@example.org",
      GIT_COMMITTER_NAME: "F",
      GIT_COMMITTER_EMAIL: "f@e.org",
    },
  };
  for (const command of commandsOf(step))
    await execute("bash", ["-ec", command], { cwd: step === 1 ? folder : clone(), env: environment });
}

/** Changes a file of the clone, which has to have what is changed. */
function edit(path: string, ...changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(join(clone(), path), "utf8");
  for (const [from, to] of changes) {
    expect(text, path).toContain(from);
    text = text.replace(from, to);
  }
  writeFileSync(join(clone(), path), text);
}

/** The app of README.md, with an upstream that is here, and without hello-flask. */
function changeApps(): void {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  writeFileSync(join(clone(), "apps", "example.ts"), /```ts\n(.*?)```/s.exec(readme)![1]!);
  edit(
    "apps/example.ts",
    ["https://github.com/owner", site.sandbox.urls.git],
    ['"/usr/bin/example", "--version"', '"/bin/tiny"'],
  );
  edit(
    "apps/index.ts",
    ['import { helloFlask } from "./helloFlask";', 'import { example } from "./example";'],
    ["  helloFlask,", "  example,"],
  );
  for (const path of ["apps/helloFlask.ts", "test/apps/helloFlask.test.ts"]) rmSync(join(clone(), path));
}

beforeAll(async () => {
  site = await ForkSite.start({ repository: "Forker/multiarch-mirror", user: "Forker" });
  ({ folder } = site);
  await tinyUpstream(site.sandbox, "example", [{ version: "1.0.0" }, { version: "1.1.0" }, { version: "1.2.0" }]);
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "gh"), gh);
  chmodSync(join(folder, "bin", "gh"), 0o755);
  copyFiles(join(folder, "source"));
  const git = (...args: readonly string[]): void =>
    void execFileSync("git", ["-c", "user.name=o", "-c", "user.email=o@example.org", ...args], {
      cwd: join(folder, "source"),
    });
  git("init", "--quiet", "--initial-branch", "main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "As it is");
  git("clone", "--quiet", "--bare", ".", join(folder, "origin"));
}, 600_000);

afterAll(() => site.stop());

it("is made by the ten steps, with an app of its own and other settings", async () => {
  await follow(1);
  await follow(2);
  expect(readFileSync(join(clone(), "Pulumi.prod.yaml"), "utf8")).toContain("multiarch-mirror:namespace: forker\n");
  changeApps();
  edit(
    "Pulumi.prod.yaml",
    ["registry: ghcr.io", `registry: ${site.sandbox.urls.registry}`],
    ["keep: 10", "keep: 2"],
    [
      "    mattermost: {}\n    mostlymatter: {}\n    outline: {}\n    base-outline: {}\n    hello-flask: {}\n",
      "    example: {}\n",
    ],
    // The runner of these tests gives no job an identity that could sign.
    ["attest: keyless", 'attest: "off"'],
  );
  edit("Pulumi.dockerhub.yaml", ["    hello-flask: {}\n", ""]);
  for (const step of [4, 5, 6, 7, 8, 9]) await follow(step);
  expect(asked().filter((line) => /^(workflow|run|repo edit)/.test(line))).toEqual([
    "repo edit --enable-issues",
    "workflow enable mirror.yml",
    "workflow enable heartbeat.yml",
    "workflow run mirror.yml -f dry-run=true",
    "run watch",
    "workflow run mirror.yml",
  ]);
  const pushed = ["--git-dir", join(folder, "origin"), "show", "main:Pulumi.prod.yaml"];
  expect(execFileSync("git", pushed, { encoding: "utf8" })).toContain("keep: 2");
});

it("passes its own tests about apps, stacks, pages and workflows", async () => {
  symlinkSync(join(checkout, "node_modules"), join(clone(), "node_modules"));
  const tests = ["test/apps", "test/config", "test/docs.test.ts", "test/architecture.test.ts", "test/workflows"];
  const vitest = [join("node_modules", "vitest", "vitest.mjs"), "run", "--project", "unit", ...tests];
  const { stdout } = await execute(process.execPath, vitest, { cwd: clone(), env: { ...process.env, NO_COLOR: "1" } });
  expect(stdout).toMatch(/Tests +\d+ passed \(\d+\)/);
  rmSync(join(clone(), "node_modules"));
});

it("publishes its app, and finds nothing to do afterwards", async () => {
  fork = site.fork((files) => cpSync(clone(), files, { recursive: true, filter: (path) => !path.endsWith("/.git") }));
  const dry = await fork.run({ event: "workflow_dispatch", inputs: { "dry-run": "true" } });
  expect(dry, dry.log).toMatchObject({ good: true, jobs: { Plan: true } });
  const registry = site.registry();
  expect(await registry.tags("example")).toEqual([]);
  const byHand = await fork.run({ event: "workflow_dispatch" });
  expect(byHand, byHand.log).toMatchObject({ good: true, jobs: { Plan: true, Publish: true } });
  expect(await registry.tags("example")).toEqual(["1.1.0", "1.2.0", "latest"]);
  const scheduled = await fork.run({ event: "schedule" });
  expect(scheduled, scheduled.log).toMatchObject({ good: true });
  expect(scheduled.jobs).toEqual({ Plan: true });
  expect(site.github.issues).toEqual([]);
});
