import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readRequest } from "../../commands/reconcile/request";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const action = parse(readFileSync("action.yml", "utf8")) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
};
const { steps } = action.runs;
const folder = mkdtempSync(join(tmpdir(), "action-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The words the last step gives to npm, run by a shell as GitHub does, for some inputs. */
function reconciled(inputs: Readonly<Record<string, string>>): readonly string[] {
  const step = steps.find(({ name }) => name === "Reconcile");
  const values = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ""]));
  const environment = Object.entries(step?.env ?? {}).map(([name, text]) => {
    const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(text)?.[1];
    return [name, input === undefined ? text : ({ ...values, ...inputs }[input] ?? "")];
  });
  writeFileSync(join(folder, "npm"), `#!/bin/sh\nprintf '%s\\0' "$@"\n`);
  chmodSync(join(folder, "npm"), 0o755);
  const { stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step?.run ?? ""], {
    encoding: "utf8",
    env: { ...Object.fromEntries(environment), PATH: `${folder}:/usr/bin:/bin`, GITHUB_WORKSPACE: "/work space" },
  });
  expect(stderr).toBe("");
  return stdout.split("\0").slice(0, -1);
}

describe("the action for other repositories", () => {
  it("uses what the mirror's own workflow uses, pinned to the same commits", () => {
    const workflow = readFileSync(".github/workflows/mirror.yml", "utf8");
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(4);
    for (const name of used) expect(workflow).toContain(name);
  });

  it("puts no input into a script: they come by the environment", () => {
    for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });

  it("asks npm run reconcile for what its inputs say, in words it takes", () => {
    const words = reconciled({ config: "Pulumi.prod.yaml", phase: "build", platforms: "linux/arm64", apps: "a,b" });
    const request = readRequest(words.slice(words.indexOf("--") + 1), {}, "/mirror");
    expect(request).toMatchObject({
      stack: "prod",
      phase: "build",
      platforms: ["linux/arm64"],
      apps: ["a", "b"],
      configFile: "/work space/Pulumi.prod.yaml",
      digests: "/work space/digests",
    });
  });

  it("leaves what is not said to the command, and hostile words as they are", () => {
    const words = reconciled({ config: "$(touch x)`id`.yaml" });
    const request = readRequest(words.slice(words.indexOf("--") + 1), {}, "/mirror");
    expect(request).toMatchObject({ phase: "all", configFile: "/work space/$(touch x)`id`.yaml" });
    expect(request).not.toHaveProperty("apps");
    expect(request).not.toHaveProperty("platforms");
  });
});
