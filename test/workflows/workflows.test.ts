import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ensureTools, type Toolchain } from "../../tools/toolchain/ensureTools";
import { runProgram } from "../../tools/toolchain/runProgram";
import { tools } from "../../tools/toolchain/tools";

const root = resolve(__dirname, "../..");
const folder = join(root, ".github", "workflows");
const names = ["check.yml", "heartbeat.yml", "mirror.yml", "preview.yml"];

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly concurrency?: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const text = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
const read = async (name: string): Promise<Workflow> => parse(await text(name)) as Workflow;

describe("the linters", () => {
  let linters: Toolchain;
  let copy: string;
  beforeAll(async () => {
    linters = await ensureTools(["actionlint", "zizmor"]);
    copy = await mkdtemp(join(tmpdir(), "workflows-"));
    await mkdir(join(copy, ".git"));
    await cp(join(root, ".github"), join(copy, ".github"), { recursive: true });
  }, 900_000);
  afterAll(() => rm(copy, { recursive: true, force: true }));

  const actionlint = (directory: string) =>
    runProgram(linters.programs.get("actionlint")!, ["-no-color"], { timeout: 120_000, directory });
  const zizmor = (directory: string) =>
    runProgram(linters.programs.get("zizmor")!, ["--offline", "--quiet", "--no-progress", ".github"], {
      timeout: 120_000,
      directory,
    });

  it("find nothing", async () => {
    expect(await actionlint(root)).toMatchObject({ status: 0, stdout: "" });
    expect(await zizmor(root)).toMatchObject({ status: 0 });
  }, 300_000);

  it("do find what is wrong, so their silence means something", async () => {
    const file = join(copy, ".github", "workflows", "check.yml");
    const good = await readFile(file, "utf8");
    await writeFile(file, good.replace("run: sudo apt", "run: echo ${{ github.event.pull_request.title }}; sudo apt"));
    expect((await actionlint(copy)).status).not.toBe(0);
    expect((await zizmor(copy)).status).not.toBe(0);
    await writeFile(file, good.replace(/@[0-9a-f]{40} # v7\.0\.1/, "@v7"));
    expect((await zizmor(copy)).status).not.toBe(0);
  }, 300_000);
});

describe("the workflows", () => {
  it("are these", async () => {
    expect((await readdir(folder)).toSorted()).toEqual(names);
  });

  it.each(names)("%s pins every action by commit, with its version in a comment", async (name) => {
    const lines = (await text(name)).split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("pin an action to the same commit everywhere", async () => {
    const all = (await Promise.all(names.map(text))).join("\n");
    const pins = new Map<string, Set<string>>();
    for (const [, action = "", pin = ""] of all.matchAll(/uses: ([\w.-]+\/[\w.-]+)[\w./-]*@(.+)$/gm))
      pins.set(action, (pins.get(action) ?? new Set()).add(pin));
    for (const [action, found] of pins) expect([action, found.size]).toEqual([action, 1]);
  });

  it.each(names)("%s puts no expression into a script: values come by environment", async (name) => {
    const steps = Object.values((await read(name)).jobs).flatMap((job) => job.steps);
    for (const { run = "" } of steps) expect(run).not.toContain("${{");
  });

  it.each(names)("%s grants nothing by default, and each job what it needs, and is bounded in time", async (name) => {
    const { permissions, jobs } = await read(name);
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toMatchObject({ contents: "read" });
      expect(job["timeout-minutes"]).toBeLessThanOrEqual(360);
    }
  });

  it("sign in one job only, and nothing that pull requests start can write", async () => {
    const mirror = await read("mirror.yml");
    const signing = Object.entries(mirror.jobs).filter(([, job]) => job.permissions?.["id-token"] !== undefined);
    expect(signing.map(([name]) => name)).toEqual(["publish"]);
    for (const name of names) {
      const { on, jobs } = await read(name);
      expect(on).not.toHaveProperty("pull_request_target");
      if (!("pull_request" in on)) continue;
      for (const job of Object.values(jobs)) expect(job.permissions).toEqual({ contents: "read" });
      expect(await text(name)).not.toContain("secrets.");
    }
  });

  it("run the mirror every six hours off the full hour, one run at a time", async () => {
    const { on, concurrency } = await read("mirror.yml");
    expect(on["schedule"]).toEqual([{ cron: "17 0,6,12,18 * * *" }]);
    expect(concurrency?.["cancel-in-progress"]).toBe(false);
  });

  it("call npm scripts that exist, and nothing else of the project", async () => {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { scripts: object };
    const all = (await Promise.all(names.map(text))).join("\n");
    const called = [...all.matchAll(/npm (?:run --silent )?(\w+)/g)].map(([, name]) => name!);
    expect(new Set(called)).toEqual(new Set(["reconcile", "issues", "heartbeat", "test"]));
    for (const name of called) expect(scripts).toHaveProperty(name);
  });

  it("install the tools in the versions the tests ran with", async () => {
    const versionOf = (name: string) => tools.find((tool) => tool.name === name)!.version!;
    const mirror = await text("mirror.yml");
    const expected = {
      "pulumi-version": versionOf("pulumi"),
      "cosign-release": `v${versionOf("cosign")}`,
      "syft-version": `v${versionOf("syft")}`,
      "driver-opts": `image=moby/buildkit:v${versionOf("buildkitd")}`,
    };
    for (const [key, version] of Object.entries(expected)) {
      const found = [...mirror.matchAll(new RegExp(`${key}: (.+)$`, "gm"))].map(([, value]) => value);
      expect(new Set(found)).toEqual(new Set([version]));
    }
    expect(mirror).toContain(`version: v${versionOf("buildx")}`);
  });
});

describe("dependency updates", () => {
  it("are configured for npm, the Go tools and actions", async () => {
    const { updates } = parse(await readFile(join(root, ".github", "dependabot.yml"), "utf8")) as {
      updates: readonly { "package-ecosystem": string }[];
    };
    expect(updates.map((update) => update["package-ecosystem"]).toSorted()).toEqual(["github-actions", "gomod", "npm"]);
  });
});
