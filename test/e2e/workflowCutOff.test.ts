import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FaultRule } from "../../tools/sandbox/faultRule";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import type { FakeGithub } from "../commands/github/fakeGithub";
import { killTree } from "../faults/support/killTree";
import { until } from "../faults/support/until";
import { smallFork } from "./support/forkFiles";
import { ForkSite } from "./support/forkSite";
import type { RegistryView } from "./support/registryView";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";
import type { RunningWorkflow, WorkflowFork } from "./support/workflowRun";

let site: ForkSite;
let sandbox: Sandbox;
let github: FakeGithub;
let fork: WorkflowFork;
let registry: RegistryView;

const forEver = 3_600_000;
/** Its build fetches a file, so that a rule may hold it back. */
const release = (version: string) => ({
  version,
  dockerfile: tinyDockerfile.replace("ENTRYPOINT", `ADD ${sandbox.urls.files}/slow/${version} /file\nENTRYPOINT`),
});

beforeAll(async () => {
  site = await ForkSite.start();
  ({ sandbox, github } = site);
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) sandbox.putFile(`slow/${version}`, version);
  await tinyUpstream(sandbox, "tiny", [release("1.0.0")]);
  const prod = { ...site.settings, platforms: ["linux/amd64"], keep: 3 };
  fork = site.fork(smallFork({ apps: { tiny: tinyAppFile(sandbox, "tiny") }, stacks: { prod } }));
  registry = site.registry();
}, 600_000);
afterAll(() => site.stop());

/** Starts a scheduled run, and comes back while a request of it waits for its answer. */
async function heldAt(rule: FaultRule, delayMs = forEver): Promise<RunningWorkflow> {
  sandbox.setRules([{ ...rule, delayMs }]);
  const running = fork.start({ event: "schedule" });
  const early = running.ended.then(({ log }) => Promise.reject(new Error(`it ended before that:\n${log}`)));
  await Promise.race([until("a request is held", () => sandbox.ruleStatus()[0]?.used === 1), early]);
  early.catch(() => undefined);
  return running;
}

/** Takes the machine away from under a run. */
async function cutOff({ child, ended }: RunningWorkflow): Promise<void> {
  killTree(child.pid!);
  expect(await ended).toMatchObject({ good: false });
  sandbox.clearRules();
}

/** Writes of a tag, by the tag. */
const tagWrites = (tag: string): number =>
  sandbox
    .requestLog("registry")
    .filter(({ method, path, status }) => method === "PUT" && path.endsWith(`/manifests/${tag}`) && status === 201)
    .length;

describe("a run that is cut off", () => {
  it("leaves nothing when it was building, and the next one does all of it", async () => {
    await cutOff(await heldAt({ part: "files", path: "/slow/1.0.0" }));
    expect(await registry.tags("tiny")).toEqual([]);
    expect(github.issues).toEqual([]);
    const run = await fork.run({ event: "schedule" });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Publish: true } });
    expect(run.summary).toContain("**1 app: 1 published**");
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    expect(github.issues).toEqual([]);
  });

  it("leaves no tag when it was about to write it, and the next one publishes it", async () => {
    await tinyUpstream(sandbox, "tiny", [release("1.1.0")]);
    await cutOff(await heldAt({ part: "registry", method: "PUT", path: "/manifests/1\\.1\\.0$" }));
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    const run = await fork.run({ event: "schedule" });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Publish: true } });
    expect(run.summary).toContain("**1 app: 1 published, 1 adopted**");
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
    expect([tagWrites("1.0.0"), tagWrites("1.1.0")]).toEqual([1, 1]);
  });
});

describe("a run by hand while another is under way", () => {
  // GitHub lets it wait for its turn. This is what happens should it ever not.
  it("changes nothing that the other published, and is green as well", async () => {
    await tinyUpstream(sandbox, "tiny", [release("1.2.0")]);
    const scheduled = await heldAt({ part: "files", path: "/slow/1.2.0" }, 20_000);
    const byHand = fork.start({ event: "workflow_dispatch", inputs: { apps: "tiny" } });
    for (const { ended } of [scheduled, byHand]) {
      const run = await ended;
      expect(run, run.log).toMatchObject({ good: true });
    }
    expect(await registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "1.2.0", "latest"]);
    expect(await registry.digest("tiny", "latest")).toBe(await registry.digest("tiny", "1.2.0"));
    expect(github.issues).toEqual([]);
  });
});
