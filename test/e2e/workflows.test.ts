import { readFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import type { FakeGithub } from "../commands/github/fakeGithub";
import { smallFork } from "./support/forkFiles";
import { ForkSite } from "./support/forkSite";
import { writeApps } from "./support/programCopy";
import type { RegistryView } from "./support/registryView";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";
import type { WorkflowFork } from "./support/workflowRun";

let site: ForkSite;
let sandbox: Sandbox;
let github: FakeGithub;
let fork: WorkflowFork;
let registry: RegistryView;

/** Requests that could have changed the registry since the last look. */
let seen = 0;
const writes = (): readonly string[] => {
  const log = sandbox.requestLog("registry").filter(({ method }) => !["GET", "HEAD"].includes(method));
  const since = log.slice(seen);
  seen = log.length;
  return since.map(({ method, path }) => `${method} ${path}`);
};

/** Of a fork that wants its catalogue on GitHub Pages. */
const variables = { CATALOGUE: "prod", CATALOGUE_URL: "https://acme.github.io/mirror/" };
/** A file of the site that was deployed last. */
const page = (path: string): unknown => JSON.parse(readFileSync(join(site.folder, "pages", path), "utf8"));

/** The app's file; it learns of versions from releases. */
const tinyApp = (): string =>
  tinyAppFile(sandbox, "tiny").replace(/source: \{.*\}/, 'source: { kind: "githubReleases", repository: "acme/tiny" }');

beforeAll(async () => {
  site = await ForkSite.start();
  ({ sandbox, github } = site);
  const later = tinyDockerfile.replace("ENTRYPOINT", `ADD ${sandbox.urls.files}/later/file /file\nENTRYPOINT`);
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }, { version: "1.1.0", dockerfile: later }]);
  // Releases, and not tags: they are read through the provider that has to be told its owner.
  sandbox.setReleases("acme/tiny", [{ tag_name: "v1.1.0" }, { tag_name: "v1.0.0" }]);
  const prod = { ...site.settings, keep: 2, apps: { tiny: { repository: `${sandbox.urls.git}/tiny.git` } } };
  fork = site.fork(smallFork({ apps: { tiny: tinyApp() }, stacks: { prod } }));
  registry = site.registry();
}, 600_000);
afterAll(() => site.stop());

describe("mirror.yml, run as it is", () => {
  it("only looks in a dry run by hand: one job, which writes neither image nor issue", async () => {
    const run = await fork.run({ event: "workflow_dispatch", inputs: { "dry-run": "true" } });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Plan: true } });
    expect(Object.keys(run.jobs)).toEqual(["Plan"]);
    expect(writes()).toEqual([]);
    expect(github.issues).toEqual([]);
  });

  it("publishes what can be built on schedule, is red for the rest, and opens an issue that says why", async () => {
    const run = await fork.run({ event: "schedule", run: { id: 70, attempt: 1 }, variables });
    expect(run, run.log).toMatchObject({ good: false, jobs: { Plan: true, Publish: false } });
    const builds = ["Build linux-amd64", "Build linux-arm64"];
    expect(Object.keys(run.jobs).toSorted()).toEqual([...builds, "Catalogue", "Pages", "Plan", "Publish"]);
    expect(run.log).toContain("✗ FAILED tiny 1.1.0 linux/amd64: ");
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    expect(github.issues).toMatchObject([{ title: "Mirror: tiny is not complete in prod", state: "open" }]);
    expect(github.issues[0]?.body).toMatch(/- `1\.1\.0`: `linux\/amd64, linux\/arm64: failed to solve: .* 404`/);
    expect(github.issues[0]?.body).toContain("/acme/mirror/actions/runs/70");
    const kept = ["catalogue:prod:70-1", "kept:prod:70-1"].map(encodeURIComponent);
    expect((await readdir(join(site.folder, "cache"))).toSorted()).toEqual(kept);
  });

  it("deploys a catalogue where a variable names the stack: what is there, what is not, why, and when it is tried next", () => {
    const { state, versions, missing } = page("tiny.json") as Record<string, never[]>;
    expect({ state, versions, missing }).toMatchObject({
      state: "incomplete",
      versions: [{ tag: "1.0.0" }],
      missing: [{ version: "1.1.0", failures: 1, reason: expect.stringContaining("404") as string }],
    });
    expect(missing?.[0]).toHaveProperty("nextTry");
    expect(page("index.json")).toMatchObject({ url: variables.CATALOGUE_URL, run: { good: false } });
  });

  it("leaves alone what failed before: one green job, no try, no word in the issue", async () => {
    const before = github.issues[0]?.body;
    writes();
    const run = await fork.run({ event: "schedule" });
    expect(run, run.log).toMatchObject({ good: true });
    expect(run.jobs).toEqual({ Plan: true });
    expect(run.log).toContain("restored from kept:prod:70-1");
    expect(run.log).toContain("tiny: unchanged");
    expect(github.issues[0]?.body).toBe(before);
    expect(writes()).toEqual([]);
  });

  it("builds for the platforms somebody asks for and no other, though the version waits for the rest", async () => {
    sandbox.putFile("later/file", "here now");
    const run = await fork.run({ event: "workflow_dispatch", inputs: { platforms: "linux/arm64" } });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Plan: true, "Build linux-arm64": true } });
    expect(run.jobs).not.toHaveProperty("Build linux-amd64");
    expect(run.log).toContain("built tiny 1.1.0 linux/arm64");
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    expect(github.issues).toMatchObject([{ state: "open" }]);
  });

  it("tries again at once when the scheduled run is run again, completes the mirror and closes the issue", async () => {
    const run = await fork.run({ event: "schedule", run: { id: 70, attempt: 2 } });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Plan: true, Publish: true } });
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
    expect(await registry.digest("tiny", "latest")).toBe(await registry.digest("tiny", "1.1.0"));
    expect(github.issues).toMatchObject([{ state: "closed" }]);
  });

  it("believes no result of an earlier attempt when it is run once more: neither in an issue nor in the next catalogue", async () => {
    expect(fork.artifacts(70)).toContain("result-prod-publish");
    const run = await fork.run({ event: "schedule", run: { id: 70, attempt: 3 }, variables });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Plan: true, Catalogue: true, Pages: true } });
    expect(Object.keys(run.jobs)).toHaveLength(3);
    expect(run.log).toMatch(/Catalogue: restored from catalogue:prod:/);
    expect(run.log).toContain(variables.CATALOGUE_URL);
    expect(page("index.json")).toMatchObject({ run: { good: true } });
    expect(page("tiny.json")).toMatchObject({
      ...{ state: "complete", missing: [] },
      versions: [{ tag: "1.1.0", tags: ["1.1.0", "latest"] }, { tag: "1.0.0" }],
    });
    expect(github.issues).toMatchObject([{ state: "closed" }]);
  });

  it("has one job when all is there, whoever asks for it", async () => {
    writes();
    const run = await fork.run({ event: "repository_dispatch", payload: { app: "tiny" } });
    expect(run, run.log).toMatchObject({ good: true });
    expect(run.jobs).toEqual({ Plan: true });
    expect(writes()).toEqual([]);
  });

  it("ends with a clear line and without a try on wrong input", async () => {
    const run = await fork.run({ event: "workflow_dispatch", inputs: { apps: "nosuch" } });
    expect(run, run.log).toMatchObject({ good: false, jobs: { Plan: false } });
    expect(run.log).toContain('"nosuch"; there is no such app');
    expect(github.issues).toHaveLength(1);
  });
});

describe("the other workflows", () => {
  it("preview.yml is green though it may read no package, one that is new among them, and shows what it cannot tell", async () => {
    await tinyUpstream(sandbox, "fresh", [{ version: "2.0.0" }]);
    writeApps(fork.files, { tiny: tinyApp(), fresh: tinyAppFile(sandbox, "fresh") });
    const stack = join(fork.files, "Pulumi.prod.yaml");
    const fresh = `    fresh:\n      repository: ${sandbox.urls.git}/fresh.git\n`;
    writeFileSync(stack, readFileSync(stack, "utf8").replace(/(multiarch-mirror:apps:\n)/, `$1${fresh}`));
    fork.commit();
    const run = await fork.run({ workflow: "preview.yml", event: "pull_request" });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Preview: true } });
    expect(run.log).toContain("logged in to ghcr.io");
    for (const line of ["### `tiny` in", "### `fresh` in", "| `2.0.0` | `2.0.0` | unknown |", "(authorisation)"])
      expect(run.summary).toContain(line);
  });

  it("heartbeat.yml keeps the workflows enabled", async () => {
    const before = github.requests.length;
    const run = await fork.run({ workflow: "heartbeat.yml", event: "schedule" });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Heartbeat: true } });
    expect(github.requests.slice(before).filter((line) => line.startsWith("PUT "))).toEqual([
      "PUT /repos/acme/mirror/actions/workflows/mirror.yml/enable",
      "PUT /repos/acme/mirror/actions/workflows/heartbeat.yml/enable",
    ]);
  });

  it("heartbeat.yml opens an issue when no scheduled run has succeeded for a day, and closes it when one has", async () => {
    const beat = async (...runs: readonly (readonly [hoursAgo: number, conclusion: string])[]) => {
      github.runs = runs.map(([hours, conclusion]) => ({
        created_at: new Date(Date.now() - hours * 3_600_000).toISOString(),
        ...{ conclusion, event: "schedule", head_branch: "main" },
      }));
      const run = await fork.run({ workflow: "heartbeat.yml", event: "schedule" });
      expect(run, run.log).toMatchObject({ good: true });
      return github.issues.at(-1);
    };
    expect(await beat([1, "failure"], [30, "success"])).toMatchObject({
      title: "Mirror: no scheduled run has succeeded for 24 hours",
      labels: ["mirror-watchdog"],
      state: "open",
    });
    expect(await beat([1, "success"], [30, "success"])).toMatchObject({ labels: ["mirror-watchdog"], state: "closed" });
  });
});
