import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ensureTools, type Toolchain } from "../../tools/toolchain/ensureTools";
import { runProcess } from "../../components/system/process";
import { tools } from "../../tools/toolchain/tools";
import { actions } from "./actions";

const root = resolve(__dirname, "../..");
const folder = join(root, ".github", "workflows");
const names = ["check.yml", "heartbeat.yml", "mirror.yml", "preview.yml"];

interface Step {
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly strategy?: { readonly matrix: { readonly include: readonly { readonly node?: string }[] } };
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
    runProcess(linters.programs.get("actionlint")!, ["-no-color"], { limitMs: 120_000, directory });
  const zizmor = (directory: string) =>
    runProcess(linters.programs.get("zizmor")!, ["--offline", "--quiet", "--no-progress", ".github"], {
      limitMs: 120_000,
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

  it.each(names)("%s gives every action inputs it accepts, and those it needs", async (name) => {
    const steps = Object.values((await read(name)).jobs).flatMap((job) => job.steps);
    for (const { uses, with: given = {} } of steps.filter((step) => step.uses !== undefined)) {
      const [action = "", commit] = uses!.split("@");
      expect(commit, action).toBe(actions[action]?.commit);
      expect(actions[action]?.inputs, action).toEqual(expect.arrayContaining(Object.keys(given)));
      expect(Object.keys(given), action).toEqual(expect.arrayContaining([...(actions[action]?.required ?? [])]));
    }
  });

  it.each(["heartbeat.yml", "mirror.yml", "preview.yml"])(
    "%s installs libraries first, without what they would run and without those of development",
    async (name) => {
      for (const [job, { steps }] of Object.entries((await read(name)).jobs)) {
        if (job === "pages") continue;
        const [checkout, node, install, ...others] = steps;
        expect([checkout?.uses, node?.uses], job).toEqual([
          expect.stringContaining("actions/checkout@"),
          expect.stringContaining("actions/setup-node@"),
        ]);
        expect(install, job).toEqual({ name: "Install libraries", run: "npm ci --ignore-scripts --omit=dev" });
        expect(JSON.stringify(others), job).not.toContain("npm ci");
      }
    },
  );

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

  it("deploy pages by GitHub's own action alone, as that job could sign, and only where a variable says so", async () => {
    const { catalogue, pages } = (await read("mirror.yml")).jobs;
    expect(pages!.steps.map(({ uses = "", run }) => [uses.split("@")[0], run])).toEqual([
      ["actions/deploy-pages", undefined],
    ]);
    expect(pages!.permissions).toEqual({ contents: "read", pages: "write", "id-token": "write" });
    expect(catalogue!.permissions).toEqual({ contents: "read", packages: "read" });
    expect(JSON.stringify(catalogue)).toContain("vars.CATALOGUE != ''");
  });

  it("look for caches only under names that a step keeps them under, with the same paths", async () => {
    const steps = (await Promise.all(names.map(read))).flatMap(({ jobs }) =>
      Object.values(jobs).flatMap((job) => job.steps),
    );
    const cache = (kind: RegExp) =>
      steps.filter(({ uses = "" }) => kind.test(uses)).map((step) => step.with as Readonly<Record<string, string>>);
    const kept = cache(/^actions\/cache(\/save)?@/);
    const lost = cache(/^actions\/cache(\/restore)?@/).flatMap(({ path, "restore-keys": beginnings = "" }) =>
      beginnings
        .split("\n")
        .filter((beginning) => !kept.some(({ key = "", path: same }) => key.startsWith(beginning) && path === same)),
    );
    expect(lost).toEqual([]);
    expect(kept.length).toBeGreaterThan(0);
  });

  it("keep what was read of images, which never changes, beside every record of failed builds", async () => {
    const steps = Object.values((await read("mirror.yml")).jobs).flatMap((job) => job.steps);
    const kept = steps
      .filter(({ uses = "" }) => uses.startsWith("actions/cache/"))
      .map((step) => (step.with as Readonly<Record<string, string>>)["path"]?.split("\n") ?? [])
      .filter((paths) => paths.includes("failures"));
    expect(kept.length).toBeGreaterThan(0);
    const folders = ["labels", "manifests", "programs"].map((kind) => `~/.cache/multiarch-mirror/${kind}`);
    for (const paths of kept) expect(paths).toEqual(expect.arrayContaining(folders));
  });

  it("sign in one job only, and nothing that pull requests start can write", async () => {
    const mirror = await read("mirror.yml");
    const signing = Object.entries(mirror.jobs).filter(([, job]) => job.permissions?.["id-token"] !== undefined);
    expect(signing.map(([name]) => name)).toEqual(["publish", "pages"]);
    for (const name of names) {
      const { on, jobs } = await read(name);
      expect(on).not.toHaveProperty("pull_request_target");
      if (!("pull_request" in on)) continue;
      for (const job of Object.values(jobs))
        for (const [scope, access] of Object.entries(job.permissions ?? {}))
          expect([scope, access]).toEqual([scope, "read"]);
      expect(await text(name)).not.toContain("secrets.");
    }
  });

  it("run the mirror every six hours off the full hour, one run of a stack at a time, and lose none that waits", async () => {
    const { on, concurrency } = await read("mirror.yml");
    expect(on["schedule"]).toEqual([{ cron: "17 0,6,12,18 * * *" }]);
    expect(concurrency).toEqual({
      group: "multiarch-mirror-${{ inputs.stack || 'prod' }}",
      "cancel-in-progress": false,
      queue: "max",
    });
  });

  it("publish nothing after a plan that failed, build nothing it did not name, and read no result that is not there", async () => {
    const { build, publish, ...others } = (await read("mirror.yml")).jobs;
    expect(publish!.if).toContain("needs.plan.result == 'success' && needs.plan.outputs.work == 'true'");
    expect(build!.if).toContain("needs.plan.outputs.work == 'true' && needs.plan.outputs.jobs != '[]'");
    expect(await text("mirror.yml")).toContain("include: ${{ fromJSON(needs.plan.outputs.jobs || '[]') }}");
    const steps = [publish!, ...Object.values(others)].flatMap((job) => job.steps);
    const readers = steps.filter(({ run = "" }) => run.startsWith("npm run --silent issues"));
    expect(readers).toHaveLength(2);
    for (const { if: when = "", run = "" } of readers)
      expect(when).toContain(`hashFiles('${run.split("--result ")[1]}') != ''`);
  });

  it("let nobody else's workflow run the mirror under this repository's name", async () => {
    for (const name of names) expect((await read(name)).on).not.toHaveProperty("workflow_call");
  });

  it("keep the record of failures of each stack to itself, though one's name begins with another's", async () => {
    const mirror = await text("mirror.yml");
    const prefixes = [...mirror.matchAll(/restore-keys: "(.+)"$/gm)].map(([, prefix]) => prefix!);
    const keys = [...mirror.matchAll(/key: "(.+)"$/gm)].map(([, key]) => key!);
    expect([prefixes.length, keys.length]).toEqual([5, 8]);
    const of = (pattern: string, stack: string): string => pattern.replace("${{ env.STACK }}", stack);
    const kind = (pattern: string) => pattern.split(":")[0];
    for (const prefix of prefixes) {
      const own = keys.filter((one) => kind(one) === kind(prefix));
      expect(own, prefix).not.toEqual([]);
      for (const key of own) {
        expect(of(key, "prod").startsWith(of(prefix, "prod"))).toBe(true);
        expect(of(key, "prod-eu").startsWith(of(prefix, "prod"))).toBe(false);
      }
    }
  });

  it("take registry and credentials from the stack's own environment, wherever the registry is written to", async () => {
    for (const [name, job] of Object.entries((await read("mirror.yml")).jobs)) {
      if (name === "pages") continue;
      const login = job.steps.find(({ uses }) => uses?.startsWith("docker/login-action@"));
      expect([name, login?.with?.["registry"]]).toEqual([name, "${{ vars.REGISTRY || 'ghcr.io' }}"]);
      expect(job.environment).toEqual({ name: "${{ inputs.stack || 'prod' }}", deployment: false });
    }
  });

  it("run the unit tests on the oldest Node supported and on every later line", async () => {
    const { engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { engines: { node: string } };
    const { strategy } = (await read("check.yml")).jobs["check"]!;
    const nodes = strategy?.matrix.include.map(({ node }) => node);
    expect(nodes?.toSorted()).toEqual([engines.node.replace(">=", ""), "22", "24"]);
  });

  it("take nothing from Debian that would remove the runner's Docker", async () => {
    const packages = [...(await text("check.yml")).matchAll(/apt-get install (.+)$/gm)].map(([, list]) => list!);
    expect(packages.length).toBeGreaterThan(0);
    for (const list of packages) expect(list).not.toMatch(/\b(runc|containerd|docker\S*)\b/);
  });

  it("pin the images privileged programs come from", async () => {
    const images = [...(await text("mirror.yml")).matchAll(/(?<![-\w])image[:=] ?(\S+)$/gm)].map(([, image]) => image!);
    expect(images.length).toBe(2);
    for (const image of images) expect(image).toMatch(/:(qemu-)?v\d+\.\d+\.\d+(-\d+)?@sha256:[0-9a-f]{64}$/);
  });

  it("call npm scripts that exist, and nothing else of the project", async () => {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { scripts: object };
    const all = (await Promise.all(names.map(text))).join("\n");
    const called = [...all.matchAll(/npm (?:run (?:--silent )?)?([\w:]+)/g)]
      .map(([, name]) => name!)
      .filter((name) => name !== "ci");
    expect(new Set(called)).toEqual(new Set(["reconcile", "issues", "heartbeat", "catalogue", "test:all"]));
    for (const name of called) expect(scripts).toHaveProperty(name);
  });

  it("install the tools in the versions the tests ran with", async () => {
    const versionOf = (name: string) => tools.find((tool) => tool.name === name)!.version!;
    const mirror = await text("mirror.yml");
    const expected = {
      "pulumi-version": versionOf("pulumi"),
      "cosign-release": `v${versionOf("cosign")}`,
      "syft-version": `v${versionOf("syft")}`,
    };
    for (const [key, version] of Object.entries(expected)) {
      const found = [...mirror.matchAll(new RegExp(`${key}: (.+)$`, "gm"))].map(([, value]) => value);
      expect(new Set(found)).toEqual(new Set([version]));
    }
    expect(mirror).toContain(`version: v${versionOf("buildx")}`);
    expect(mirror).toContain(`driver-opts: image=docker.io/moby/buildkit:v${versionOf("buildkitd")}@sha256:`);
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
