import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeWait, failureBehind } from "../../../components/decide/backoff";
import { appIssues } from "../../../commands/github/appIssues";
import { GithubApi } from "../../../commands/github/githubApi";
import { IssueBook } from "../../../commands/github/issueBook";
import { isOverdue } from "../../../commands/github/lastSuccess";
import type { RunResult } from "../../../commands/reconcile/result";
import { hostileText } from "../../report/hostileText";
import { FakeGithub } from "./fakeGithub";

const execute = promisify(execFile);
const root = resolve(__dirname, "../../..");
const label = "mirror-incomplete";

let github: FakeGithub;
beforeEach(async () => {
  github = await FakeGithub.start();
});
afterEach(async () => {
  await github.stop();
});

type Row = RunResult["versions"][number];
const row = (fields: Partial<Row>): Row => ({
  app: "esbuild",
  version: "1.0.0",
  complete: false,
  outcome: "missing",
  ...fields,
});
const result = (...versions: readonly Row[]): RunResult => ({
  good: false,
  apps: [...new Set(versions.map(({ app }) => app))].map((app) => ({ app, problems: [] })),
  versions: [...versions],
});
const book = (): IssueBook => new IssueBook(GithubApi.of(github.environment), label);
const issue = (body = "text") => ({ key: "esbuild", title: "Mirror: esbuild is not complete", body });

describe("the issue of an app", () => {
  it("is opened once, then updated, then closed with a word", async () => {
    expect(await book().keep(issue("one"))).toBe("opened");
    expect(await book().keep(issue("one"))).toBe("unchanged");
    expect(await book().keep(issue("two"))).toBe("updated");
    expect(github.issues).toHaveLength(1);
    expect(github.issues[0]).toMatchObject({ labels: [label], state: "open" });
    expect(github.issues[0]?.body).toContain("two");
    expect(await book().close("esbuild", "done")).toBe(true);
    expect(github.issues[0]).toMatchObject({ state: "closed", comments: ["done"] });
    expect(await book().close("esbuild", "done")).toBe(false);
  });

  it("is opened anew after it was closed", async () => {
    await book().keep(issue());
    await book().close("esbuild", "done");
    expect(await book().keep(issue())).toBe("opened");
    expect(github.issues).toHaveLength(2);
  });

  it("is no issue of another app, no pull request and none without the label", async () => {
    const body = "<!-- multiarch-mirror: esbuild -->";
    github.add({ labels: [label], body: "<!-- multiarch-mirror: esbuild-next -->" });
    github.add({ labels: [label], body, pull_request: {} });
    github.add({ labels: ["bug"], body });
    expect(await book().keep(issue())).toBe("opened");
    expect(github.issues.map(({ title }) => title)).toEqual(["", "", "", issue().title]);
  });

  it("is found on a later page", async () => {
    for (let count = 0; count < 150; count += 1)
      github.add({ labels: [label], body: `<!-- multiarch-mirror: app${count} -->` });
    expect(await book().keep({ ...issue(), key: "app149" })).toBe("updated");
  });

  it("is not changed because of the line ends an editor left", async () => {
    await book().keep(issue("one\n\ntwo"));
    github.issues[0]!.body = github.issues[0]!.body!.replaceAll("\n", "\r\n");
    expect(await book().keep(issue("one\n\ntwo"))).toBe("unchanged");
  });

  it.each([
    [401, '{"message":"Bad credentials"}'],
    [403, '{"message":"rate limit"}'],
    [500, "<html>"],
  ])("is not touched when GitHub answers %i, and the error says so", async (status, body) => {
    github.trouble = { status, body };
    await expect(book().keep(issue())).rejects.toThrow(`answered ${status}`);
  });

  it("needs a repository and a token", () => {
    expect(() => GithubApi.of({ GITHUB_TOKEN: "x" })).toThrow("GITHUB_REPOSITORY");
    expect(() => GithubApi.of({ GITHUB_TOKEN: "x", GITHUB_REPOSITORY: "../x/y" })).toThrow("GITHUB_REPOSITORY");
    expect(() => GithubApi.of({ GITHUB_REPOSITORY: "a/b" })).toThrow("GITHUB_TOKEN");
  });
});

describe("what becomes of issues after a run", () => {
  it("is one per app, whatever number of versions failed", () => {
    const wanted = appIssues(
      result(row({ reason: "exit code 1" }), row({ version: "1.1.0" }), row({ app: "outline", complete: true })),
    );
    expect(wanted.map(({ app, action }) => [app, action])).toEqual([
      ["esbuild", "keep"],
      ["outline", "close"],
    ]);
  });

  it("does not change from run to run while a version waits", () => {
    const failure = { count: 1, last: new Date(0).toISOString(), reason: "exit code 1" };
    const waiting = (count: number): Row =>
      row({
        outcome: "waiting",
        reason: describeWait({ until: new Date(count * 1000), failure: { ...failure, count } }),
      });
    const failed = appIssues(result(row({ reason: "exit code 1" })));
    expect(appIssues(result(waiting(1)))).toEqual(failed);
    expect(appIssues(result(waiting(7)))).toEqual(failed);
  });

  it("opens none for a version that waits for upstream", () => {
    expect(appIssues(result(row({ outcome: "waiting", reason: "it waits for linux/arm64" })))).toEqual([
      { action: "close", app: "esbuild" },
    ]);
  });

  it("leaves an app alone that the run did not deal with", () => {
    expect(appIssues({ good: true, apps: [{ app: "outline", problems: [] }], versions: [] })).toEqual([]);
  });

  it("tells of an app whose versions could not even be found out", () => {
    const [wanted] = appIssues({
      good: false,
      apps: [{ app: "outline", problems: ["discovery failed"] }],
      versions: [],
    });
    expect(wanted).toMatchObject({ action: "keep", issue: { body: expect.stringContaining("`discovery failed`") } });
  });

  it("holds hostile text in code spans only, and stays below what GitHub takes", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (version, reason) => {
        const rows = Array.from({ length: 150 }, () => row({ version, reason }));
        const [wanted] = appIssues(result(...rows));
        const body = wanted?.action === "keep" ? wanted.issue.body : "";
        expect(body.length).toBeLessThan(65_536);
        for (const line of body.split("\n").slice(2, 102))
          expect(line).toMatch(/^- (`[^`]*`|\(empty\))(: (`[^`]*`|\(empty\)))?$/);
      }),
      { numRuns: 50 },
    );
  });

  it("finds the failure behind a wait again, whatever it says", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 99 }), (reason, count) => {
        const line = describeWait({ until: new Date(0), failure: { count, last: "", reason } });
        expect(failureBehind(line)).toBe(reason);
      }),
    );
  });
});

const hours = (count: number): Date => new Date(count * 3_600_000);

describe("the watchdog", () => {
  it.each([
    ["a success an hour ago", { succeeded: hours(99), since: hours(0) }, false],
    ["a success 25 hours ago", { succeeded: hours(75), since: hours(0) }, true],
    ["failures only, since an hour", { since: hours(99) }, false],
    ["failures only, since 25 hours", { since: hours(75) }, true],
    ["no run at all", {}, false],
  ])("after %s says %s: %s", (_, history, overdue) => {
    expect(isOverdue(history, 24, hours(100))).toBe(overdue);
  });
});

describe("the commands", () => {
  const run = async (script: string, ...args: readonly string[]) => {
    const register = require.resolve("ts-node/register", { paths: [root] });
    try {
      const { stdout } = await execute(process.execPath, ["-r", register, join(root, script), ...args], {
        cwd: root,
        env: { ...process.env, ...github.environment },
        timeout: 120_000,
      });
      return { status: 0, output: stdout };
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string };
      return { status: code, output: stderr };
    }
  };

  it("issues: takes the result of the run that published before that of the plan", async () => {
    const folder = await mkdtemp(join(tmpdir(), "results-"));
    await writeFile(join(folder, "plan.json"), JSON.stringify(result(row({}), row({ app: "outline" }))));
    await writeFile(
      join(folder, "publish.json"),
      JSON.stringify(result(row({}), row({ app: "outline", complete: true }))),
    );
    expect(await run("commands/issues.ts", "--results", folder)).toEqual({ status: 0, output: "esbuild: opened\n" });
    expect(github.issues.map(({ title }) => title)).toEqual(["Mirror: esbuild is not complete"]);
    await writeFile(join(folder, "publish.json"), "{}");
    expect(await run("commands/issues.ts", "--results", folder)).toMatchObject({ status: 1 });
    expect(await run("commands/issues.ts")).toMatchObject({ status: 2 });
  }, 300_000);

  it("heartbeat: enables the workflows, and opens one issue when nothing has succeeded for a day, until something does", async () => {
    const ago = (count: number): string => new Date(Date.now() - count * 3_600_000).toISOString();
    const failed = { created_at: ago(2), conclusion: "failure", display_title: "Mirror" };
    const dry = { created_at: ago(1), conclusion: "success", display_title: "Mirror (dry run)" };
    github.runs = [dry, failed, { created_at: ago(30), conclusion: "success", display_title: "Mirror" }];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.requests.filter((line) => line.startsWith("PUT")).slice(0, 2)).toEqual([
      "PUT /repos/acme/mirror/actions/workflows/mirror.yml/enable",
      "PUT /repos/acme/mirror/actions/workflows/heartbeat.yml/enable",
    ]);
    expect(github.issues.map(({ state }) => state)).toEqual(["open"]);
    github.runs = [{ created_at: ago(1), conclusion: "success", display_title: "Mirror" }, ...github.runs];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.issues.map(({ state }) => state)).toEqual(["closed"]);
    github.trouble = { status: 503, body: "" };
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 1 });
  }, 300_000);
});
