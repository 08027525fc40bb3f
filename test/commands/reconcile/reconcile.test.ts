import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { reconcile } from "../../../commands/reconcile/reconcile";
import { readRequest } from "../../../commands/reconcile/request";
import { Voice } from "../../../commands/reconcile/voice";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reconcile-test-"));
  await writeFile(join(folder, "file"), "");
  await writeFile(
    join(folder, "stack.yaml"),
    "config:\n  multiarch-mirror:namespace: mirror\n  multiarch-mirror:attest: off\n",
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** What a run says that ends before it asks anybody. */
async function run(...more: readonly string[]): Promise<string> {
  const argv = ["--stack", "test", "--phase", "plan", "--config-file", join(folder, "stack.yaml"), ...more];
  let text = "";
  const screen = { write: (piece: string) => void (text += piece), colours: false };
  const pulumi = () => Promise.reject(new Error("not needed"));
  const context = { pulumi, environment: {}, voice: new Voice(false, "plan", screen) };
  await reconcile(readRequest(argv, {}, process.cwd()), context).catch((error: unknown) => (text += String(error)));
  return text;
}

it.each([
  ["--result", "", "it is a folder; name a file"],
  ["--failures", "file/record.json", "EEXIST: .*; name a file"],
  ["--logs", "file", "EEXIST: .*; name a folder"],
  ["--result", "/proc/nothing/result.json", "ENOENT: .*; name a file"],
])("refuses %s that cannot be written before it does anything", async (option, path, why) => {
  expect(await run(option, resolve(folder, path))).toMatch(
    new RegExp(`${option}: ".*" cannot be written: ${why} that can$`),
  );
});

it.each([
  [["--apps", "no-such-app"], '- --apps\\[0\\]: "no-such-app"; there is no such app'],
  [["--stack", "nosuch"], 'stack "nosuch" has no configuration'],
  [["--keep", "abc"], 'error: --keep: "abc"; accepted is a whole number'],
])(
  "says in the summary why nothing was done with %j",
  async (more, why) => {
    const summary = join(folder, `summary${more[0]}`);
    const config = more[0] === "--stack" ? [] : ["--config-file", join(folder, "stack.yaml")];
    const argv = ["tools/run.cjs", "commands/reconcile.ts", "--phase", "plan", "--stack", "test", ...config, ...more];
    const environment = { ...process.env, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: "" };
    const run = promisify(execFile)(process.execPath, argv, { env: environment });
    await expect(run).rejects.toMatchObject({ code: 2 });
    expect(await readFile(summary, "utf8")).toMatch(
      new RegExp(`^## Mirror\\n\\n.*broke off.*\\n\\n\`{3}console\\n[^]*${why}`),
    );
  },
  60_000,
);

it("names a mistake in an option as the option", async () => {
  const said = await run("--apps", "no-such-app");
  expect(said).toContain('  - --apps[0]: "no-such-app"; there is no such app');
  expect(said).toMatch(/plan: exit status 2\n$/);
});
