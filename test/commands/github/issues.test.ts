import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordTries } from "../../../components/decide/backoff";
import { parsePlatform } from "../../../components/model/platform";
import { readFailureFile, writeFailureFile } from "../../../components/report/failureFile";
import { appIssues } from "../../../commands/github/appIssues";
import { GithubApi } from "../../../commands/github/githubApi";
import { IssueBook } from "../../../commands/github/issueBook";
import { isOverdue } from "../../../commands/github/lastSuccess";
import type { RunResult } from "../../../commands/reconcile/result";
import { completed, tries } from "../../../commands/reconcile/verdict";
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
  stack: "prod",
  good: false,
  whole: true,
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

  it("names the run that changed it last, and is not changed for that alone", async () => {
    const of = (run: string) => new IssueBook(GithubApi.of(github.environment), label, `[log](https://x/runs/${run})`);
    await of("1").keep(issue("one"));
    expect(await of("2").keep(issue("one"))).toBe("unchanged");
    expect(github.issues[0]?.body).toContain("runs/1");
    expect(await of("3").keep(issue("two"))).toBe("updated");
    expect(github.issues[0]?.body).toContain("runs/3");
    await of("4").close("esbuild", "done");
    expect(github.issues[0]?.comments).toEqual(["done\n\n[log](https://x/runs/4)"]);
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
    const waiting = (reason: string): Row => row({ outcome: "waiting", reason, lastFailure: "exit code 1" });
    const failed = appIssues(result(row({ reason: "exit code 1" })));
    expect(appIssues(result(waiting("not tried before noon")))).toEqual(failed);
    expect(appIssues(result(waiting("not tried before midnight")))).toEqual(failed);
  });

  it("opens none for a version that waits for upstream", () => {
    expect(appIssues(result(row({ outcome: "waiting", reason: "it waits for linux/arm64" })))).toMatchObject([
      { action: "close", app: "esbuild", key: "prod:esbuild" },
    ]);
  });

  it("opens none for images that wait for those of other platforms, and closes none then", () => {
    expect(appIssues({ ...result(row({ outcome: "built" })), whole: false })).toEqual([]);
  });

  it("is not said to be incomplete when the registry did not say", () => {
    const unknown = row({ outcome: "unknown", reason: "status 503" });
    const text = (...rows: readonly Row[]) => {
      const [wanted] = appIssues(result(...rows));
      return wanted?.action === "keep" ? `${wanted.issue.title}\n${wanted.issue.body}` : "";
    };
    expect(text(unknown)).toMatch(
      /^Mirror: esbuild cannot be looked at in prod\nWhether these are in the mirror could not/,
    );
    expect(text(unknown, row({}))).toMatch(/^Mirror: esbuild is not complete in prod\nThese are not in the mirror/);
  });

  it("closes none after a run that was asked for part of the versions", () => {
    expect(appIssues({ ...result(row({ complete: true })), whole: false })).toEqual([]);
  });

  it("is closed when the app was taken out of the stack, and says so", () => {
    expect(appIssues({ ...result(row({ complete: true })), dropped: ["outline"] }).at(-1)).toMatchObject({
      ...{ action: "close", app: "outline", key: "prod:outline" },
      word: expect.stringContaining("no longer") as string,
    });
  });

  it("does not change between the run that failed and the next plan, whatever failed on which platform", async () => {
    const folder = await mkdtemp(join(tmpdir(), "failures-"));
    const records = [
      {
        app: "esbuild",
        version: "1.0.0",
        platform: parsePlatform("linux/arm64"),
        reason: `exit code 2 ${"x".repeat(400)}`,
      },
      { app: "esbuild", version: "1.0.0", platform: parsePlatform("linux/amd64"), reason: "exit code 1" },
    ];
    const [version] = [{ version: "1.0.0", tag: "1.0.0", platforms: [], builds: [], outcome: "missing" as const }];
    const app = { app: "esbuild", repository: "r/esbuild", floating: [], notes: [], problems: [] };
    const handed = { ...version, reason: "no build run handed over an image for linux/amd64, linux/arm64" };
    const results = completed([{ ...app, versions: [handed] }], records, { phase: "publish" });
    const file = join(folder, "failures.json");
    await writeFailureFile(file, recordTries({}, tries(results, records, new Date())));
    const failure = readFailureFile(file)["esbuild/1.0.0"]!;
    const waiting = row({ outcome: "waiting", reason: "not tried before noon", lastFailure: failure.reason });
    const [after] = appIssues(result(row({ reason: results[0]!.versions[0]!.reason })));
    expect([after]).toEqual(appIssues(result(waiting)));
    expect(after).toMatchObject({
      issue: { body: expect.stringContaining("linux/amd64: exit code 1; linux/arm64: ") },
    });
  });

  it("leaves an app alone that the run did not deal with", () => {
    expect(
      appIssues({ stack: "prod", good: true, whole: true, apps: [{ app: "outline", problems: [] }], versions: [] }),
    ).toEqual([]);
  });

  it("tells of an app whose versions could not even be found out", () => {
    const [wanted] = appIssues({
      stack: "prod",
      good: false,
      whole: true,
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
    try {
      const { stdout } = await execute(process.execPath, ["tools/run.cjs", script, ...args], {
        cwd: root,
        env: { ...process.env, ...github.environment, GITHUB_SERVER_URL: "https://github.example" },
        timeout: 120_000,
      });
      return { status: 0, output: stdout };
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string };
      return { status: code, output: stderr };
    }
  };

  it("issues: does what the result says", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "results-")), "publish.json");
    await writeFile(file, JSON.stringify(result(row({}), row({ app: "outline", complete: true }))));
    expect(await run("commands/issues.ts", "--result", file)).toEqual({ status: 0, output: "esbuild: opened\n" });
    expect(github.issues.map(({ title }) => title)).toEqual(["Mirror: esbuild is not complete in prod"]);
    const other = { ...result(row({ complete: true })), stack: "prod-eu" };
    await writeFile(file, JSON.stringify(other));
    expect(await run("commands/issues.ts", "--result", file)).toEqual({ status: 0, output: "" });
    expect(github.issues[0]?.state, "complete in another stack is not complete in this one").toBe("open");
    await writeFile(file, "{}");
    expect(await run("commands/issues.ts", "--result", file)).toMatchObject({ status: 1 });
    expect(await run("commands/issues.ts")).toMatchObject({ status: 2 });
  }, 300_000);

  const ago = (count: number): string => new Date(Date.now() - count * 3_600_000).toISOString();
  const scheduled = (hours: number, conclusion: string) =>
    ({ created_at: ago(hours), conclusion, event: "schedule", head_branch: "main" }) as const;
  const enabled = (): readonly string[] => github.requests.filter((line) => line.startsWith("PUT"));

  it("heartbeat: enables the workflows, and opens one issue when nothing has succeeded for a day, until something does", async () => {
    github.workflows.set("heartbeat.yml", "disabled_inactivity");
    github.runs = [scheduled(2, "failure"), { ...scheduled(30, "success"), created_at: "2026-01-02T03:04:05Z" }];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.issues[0]?.body).toContain(
      "by its schedule was: 2026-01-02T03:04Z. [Its runs](https://github.example/",
    );
    expect(github.issues[0]?.body).toContain(
      "/acme/mirror/actions/workflows/mirror.yml), or that there are none, say why.",
    );
    expect(enabled().slice(0, 2)).toEqual([
      "PUT /repos/acme/mirror/actions/workflows/mirror.yml/enable",
      "PUT /repos/acme/mirror/actions/workflows/heartbeat.yml/enable",
    ]);
    expect(github.workflows.get("heartbeat.yml")).toBe("active");
    expect(github.issues.map(({ state }) => state)).toEqual(["open"]);
    github.runs = [scheduled(1, "success"), ...github.runs];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.issues.map(({ state }) => state)).toEqual(["closed"]);
    github.trouble = { status: 503, body: "" };
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 1 });
  }, 300_000);

  it("heartbeat: takes neither a run by hand nor one of another branch for a success of the mirror", async () => {
    const byHand = { ...scheduled(2, "success"), event: "workflow_dispatch" };
    const asked = { ...scheduled(2, "success"), event: "repository_dispatch" };
    github.runs = [byHand, { ...byHand, head_branch: "feature" }, asked, scheduled(30, "success")];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.issues.map(({ state }) => state)).toEqual(["open"]);
  }, 300_000);

  it.each(["disabled_manually", "disabled_fork"])(
    "heartbeat: leaves a workflow alone that is %s",
    async (state) => {
      github.workflows.set("mirror.yml", state);
      expect(await run("commands/heartbeat.ts")).toEqual({ status: 0, output: `mirror.yml was ${state}\n` });
      expect(enabled()).toEqual(["PUT /repos/acme/mirror/actions/workflows/heartbeat.yml/enable"]);
      expect(github.workflows.get("mirror.yml")).toBe(state);
    },
    300_000,
  );

  it("heartbeat: does not complain that a mirror makes no progress which somebody switched off", async () => {
    github.workflows.set("mirror.yml", "disabled_manually");
    github.runs = [scheduled(300, "success")];
    expect(await run("commands/heartbeat.ts")).toMatchObject({ status: 0 });
    expect(github.issues).toEqual([]);
  }, 300_000);
});
