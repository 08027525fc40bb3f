import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { lockHolder } from "../../components/system/lock";
import { runProcess } from "../../components/system/process";
import { Layout } from "../../tools/sandbox/layout";

/** What a newcomer types, from the pages that say so, on a machine of his own. */
const folder = mkdtempSync(join(tmpdir(), "first-"));
const sandbox = join(folder, "sandbox");
const demo = join(folder, "demo");

const environment = {
  ...process.env,
  MIRROR_SANDBOX_DIR: sandbox,
  // In place of somebody who answers "yes".
  PULUMI_SKIP_CONFIRMATIONS: "true",
};

afterAll(async () => {
  for (const dir of [sandbox, demo]) await shell(`npm run sandbox -- stop --dir ${dir}`);
  rmSync(folder, { recursive: true, force: true });
});

/** The lines typed, one after the other in one shell that stops at the first failure. */
async function shell(
  script: string,
  directory = checkout,
): Promise<{ readonly status: number; readonly output: string }> {
  const { status, stdout, stderr } = await runProcess("bash", ["-euo", "pipefail", "-c", script], {
    directory,
    environment,
    limitMs: 600_000,
  });
  return { status, output: `${stdout}${stderr}` };
}

/** The code blocks of a section of a page: each what is between fences, or what is indented by four. */
function blocksOf(page: string, heading: string): readonly string[] {
  const section = readFileSync(join(checkout, page), "utf8").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const blocks = section.matchAll(/^```\w*\n([^]*?)^```$|((?:^ {4}.*\n)+)/gm);
  return [...blocks].map(([, fenced, indented = ""]) => fenced ?? indented.replace(/^ {4}/gm, ""));
}

/** Without what differs from machine to machine, and from one indentation to another. */
const bare = (text: string): readonly string[] =>
  text.split("\n").flatMap((line) => line.trim().replace(/localhost:\d+/, "localhost") || []);

const [demos = "", preview = "", daily = ""] = blocksOf("README.md", "Try it");

it("shows a whole mirror with the README's first commands, and what its sample preview says", async () => {
  const lines = demos.trim().split("\n");
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    // A folder of the test's own: somebody may have left a demo running in the usual one.
    const typed = line.replace(/ *#.*/, "").replace(/^npm run demo(?: --)?/, `npm run demo -- --dir ${demo}`);
    const { status, output } = await shell(typed);
    expect(status, output).toBe(0);
    const shown = bare(output);
    const first = shown.indexOf(bare(preview)[0] ?? "");
    expect(shown.slice(first, first + bare(preview).length)).toEqual(bare(preview));
    expect(output).toContain("requests that write or delete, as the registry logged them: 0");
    if (line.includes("--keep")) await useKept(output);
  }
});

/** What a demo that is left running tells to try. */
async function useKept(output: string): Promise<void> {
  const told =
    output
      .split("in this folder\n")[1]
      ?.split("\n")
      .map((line) => line.trim()) ?? [];
  const lines = told.filter((line) => line !== "");
  expect(lines.length).toBeGreaterThan(3);
  const { status, output: answer } = await shell(lines.slice(0, -1).join("\n"));
  expect(status, answer).toBe(0);
  await fitsTerminal(lines[1] ?? "");
  const [stop = ""] = lines.slice(-1);
  expect((await shell(stop)).output).toContain("stopped");
}

/** What a terminal of 80 columns shows: nothing wider, but what is to be copied. */
async function fitsTerminal(useSandbox: string): Promise<void> {
  const image = "$MIRROR_SANDBOX_REGISTRY/mirror/esbuild:latest";
  const commands = [
    "reconcile -- --stack sandbox --phase plan --verbose",
    `verify -- ${image} --key $MIRROR_SANDBOX_COSIGN_PUB --ignore-tlog`,
    `catalogue -- --stack sandbox --out ${join(folder, "site")}`,
    "try -- nothing",
  ];
  const typed = commands.map((command) => `npm run --silent ${command}`).join("; ");
  const terminal = `env -u CI TERM=xterm script --quiet --return --command 'stty cols 80; ${typed}' /dev/null || true`;
  const { output } = await shell(`${useSandbox}\n${terminal}`);
  expect(output).toContain("\u001b[32m✓ verified");
  const lines = output.split(/\r?\n/).map((line) => line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, ""));
  const wide = lines.filter((line) => line.length > 80 && /\S \S/.test(line));
  expect(
    wide.every((line) => line.startsWith("  cosign verify")),
    wide.join("\n"),
  ).toBe(true);
}

it.each([
  ["a demo", `tools/demo.ts --keep --dir ${demo}`, "ready", "SIGINT"],
  ["a demo", `tools/demo.ts --keep --dir ${demo}`, "ready", "SIGKILL"],
  ["what starts a sandbox", `tools/sandbox.ts start --dir ${demo}`, "starting the builder", "SIGINT"],
] as const)("leaves nothing running when %s (%s) is ended at %j by %s", async (_, script, line, signal) => {
  await shell(`npm run sandbox -- stop --dir ${demo}`);
  rmSync(demo, { recursive: true, force: true });
  const { lock } = new Layout(demo);
  let pid = 0;
  let held: number | undefined;
  const ended = runProcess(process.execPath, ["tools/run.cjs", ...script.split(" ")], {
    ...{ directory: checkout, environment, limitMs: 600_000, onStart: (started) => (pid = started) },
    onLine: (text) => {
      if (!text.includes(line) || held !== undefined) return;
      held = lockHolder(lock);
      process.kill(pid, signal);
    },
  });
  expect((await ended).status).toBe(128 + constants.signals[signal]);
  expect(held).toBeDefined();
  await vi.waitFor(() => expect(lockHolder(lock)).toBeUndefined(), { timeout: 30_000, interval: 100 });
});

it("starts a sandbox, publishes into it and stops it with the README's commands", async () => {
  expect(daily).toContain("npm run sandbox -- stop");
  const { status, output } = await shell(daily);
  expect(status, output).toBe(0);
  expect(output).toMatch(/0\.27\.2 +missing +will build +will build/);
  expect(output).toMatch(/^stopped$/m);
});

it("serves repositories, releases, files and bases that are put where the sandbox's page says", async () => {
  const [serve = ""] = blocksOf("tools/sandbox/README.md", "Serving what is yours");
  const own = join(folder, "own");
  await mkdir(join(own, "my-base"), { recursive: true });
  await mkdir(join(own, "my-app"));
  await writeFile(join(own, "my-base", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /base\n");
  await writeFile(join(own, "my-app", "Dockerfile"), "FROM my-base:1\nCOPY Dockerfile /app\n");
  await writeFile(join(own, "my-app.tar.gz"), "archive");
  const git = "git -c user.name=me -c user.email=me@example.invalid";
  const use = `
cd my-app && git init --quiet && git add . && ${git} commit --quiet --message first && git tag v1.0.0 && cd ..
npm run --prefix ${checkout} sandbox -- start
eval "$(npm run --silent --prefix ${checkout} sandbox -- env)"
${serve}
git ls-remote --exit-code "$MIRROR_SANDBOX_GIT/me/my-app.git" refs/tags/v1.0.0
curl --fail --silent "\${GITHUB_BASE_URL}repos/me/my-app/releases"
curl --fail --silent "\${GITHUB_BASE_URL}repos/me/my-app/git/ref/tags/v1.0.0"
curl --fail --silent "$MIRROR_SANDBOX_FILES/my-app/my-app.tar.gz"
buildx build --push --platform linux/amd64,linux/arm64 --tag "$MIRROR_SANDBOX_REGISTRY/mirror/my-app:1.0.0" my-app
regctl image get-file --platform linux/arm64 "$MIRROR_SANDBOX_REGISTRY/mirror/my-app:1.0.0" /base`;
  const { status, output } = await shell(use, own);
  expect(status, output).toBe(0);
  expect(output).toContain('"tag_name":"v1.0.0"');
  expect(output).toContain('"ref":"refs/tags/v1.0.0"');
  expect(output).toContain("archive");
  expect(output).toContain("FROM scratch");
});
