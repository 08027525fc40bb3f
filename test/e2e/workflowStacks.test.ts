import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import type { FakeGithub } from "../commands/github/fakeGithub";
import { smallFork } from "./support/forkFiles";
import { ForkSite } from "./support/forkSite";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";
import type { WorkflowEvent, WorkflowFork } from "./support/workflowRun";

let site: ForkSite;
let sandbox: Sandbox;
let github: FakeGithub;
let fork: WorkflowFork;

beforeAll(async () => {
  site = await ForkSite.start();
  ({ sandbox, github } = site);
  const later = tinyDockerfile.replace("ENTRYPOINT", `ADD ${sandbox.urls.files}/later/file /file\nENTRYPOINT`);
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }, { version: "1.1.0", dockerfile: later }]);
  const prod = { ...site.settings, platforms: ["linux/amd64"], keep: 2 };
  const stacks = { prod, "prod-eu": { ...prod, namespace: "forker/eu" } };
  fork = site.fork(smallFork({ apps: { tiny: tinyAppFile(sandbox, "tiny") }, stacks }));
}, 600_000);
afterAll(() => site.stop());

const inEurope: WorkflowEvent = { event: "workflow_dispatch", inputs: { stack: "prod-eu" } };
const tags = (namespace: string): Promise<readonly string[]> => site.registry(namespace).tags("tiny");

describe("two stacks of one repository, and a version that fails twice and then builds", () => {
  it("has an issue, a record of failures and artifacts for each of them", async () => {
    for (const event of [{ event: "schedule" }, inEurope] as const) {
      const run = await fork.run(event);
      expect(run, run.log).toMatchObject({ good: false, jobs: { Plan: true, Publish: false } });
      expect(run.summary).toContain("**1 app: 1 published, 1 missing**");
    }
    expect([await tags("forker"), await tags("forker/eu")]).toEqual([
      ["1.0.0", "latest"],
      ["1.0.0", "latest"],
    ]);
    expect(github.issues).toMatchObject([
      { title: "Mirror: tiny is not complete in prod", state: "open" },
      { title: "Mirror: tiny is not complete in prod-eu", state: "open" },
    ]);
    for (const { body } of github.issues) expect(body).toContain("`linux/amd64: failed to solve: ");
    expect(fork.records()).toMatchObject({
      "kept:prod:1-1": { "tiny/1.1.0": { count: 1 } },
      "kept:prod-eu:2-1": { "tiny/1.1.0": { count: 1 } },
    });
    expect(fork.artifacts(1)).toEqual(["digests-prod-linux-amd64", "logs-prod-linux-amd64"]);
    expect(fork.artifacts(2)).toEqual(["digests-prod-eu-linux-amd64", "logs-prod-eu-linux-amd64"]);
  });

  it("tries the version again on the next turn, and after another failure not on the one that follows", async () => {
    fork.letPass(6);
    const again = await fork.run({ event: "schedule" });
    expect(again, again.log).toMatchObject({ good: false, jobs: { Publish: false } });
    expect(again.log).toContain("restored from kept:prod:1-1");
    expect(fork.records()).toMatchObject({
      "kept:prod:3-1": { "tiny/1.1.0": { count: 2 } },
      "kept:prod-eu:2-1": { "tiny/1.1.0": { count: 1 } },
    });
    fork.letPass(6);
    const waiting = await fork.run({ event: "schedule" });
    expect(waiting, waiting.log).toMatchObject({ good: true });
    expect(waiting.jobs).toEqual({ Plan: true });
    expect(waiting.summary).toMatch(
      /`1\.1\.0: not tried before .*, because it failed 2 times in a row; the last time: linux/,
    );
    expect(github.issues.map(({ state }) => state)).toEqual(["open", "open"]);
  });

  it("completes one of them when it is asked to, and closes its issue alone", async () => {
    sandbox.putFile("later/file", "here now");
    const run = await fork.run(inEurope);
    expect(run, run.log).toMatchObject({ good: true, jobs: { Publish: true } });
    expect(run.log).toContain("restored from kept:prod-eu:2-1");
    expect([await tags("forker"), await tags("forker/eu")]).toEqual([
      ["1.0.0", "latest"],
      ["1.0.0", "1.1.0", "latest"],
    ]);
    expect(github.issues.map(({ state, comments }) => [state, comments.length])).toEqual([
      ["open", 0],
      ["closed", 1],
    ]);
  });

  it("completes the other when its turn comes", async () => {
    fork.letPass(6);
    const run = await fork.run({ event: "schedule" });
    expect(run, run.log).toMatchObject({ good: true, jobs: { Publish: true } });
    expect(run.log).toContain("restored from kept:prod:4-1");
    expect(await tags("forker")).toEqual(["1.0.0", "1.1.0", "latest"]);
    expect(github.issues).toMatchObject([{ state: "closed" }, { state: "closed" }]);
    expect([fork.records()["kept:prod:6-1"], fork.records()["kept:prod-eu:5-1"]]).toEqual([{}, {}]);
  });
});
