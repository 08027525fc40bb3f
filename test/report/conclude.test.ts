import * as pulumi from "@pulumi/pulumi";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Configuration } from "../../components/config/configuration";
import type { AppOutcome } from "../../components/declare/appOutcome";
import type { AppPlan } from "../../components/decide/appPlan";
import type { VersionOutcome } from "../../components/declare/versionOutcome";
import type { Published, PublishedApp } from "../../components/model/published";
import { ConfigError } from "../../components/config/problems";
import { conclude, orLeaveMistakes, reportPlans, type StackOutputs } from "../../components/report/conclude";
import { appPlan } from "../declare/plans";
import { settle } from "../../components/engine/settled";

const app = (version: string): PublishedApp => ({
  repository: "registry.example/mirror/app",
  versions: { [version]: { tag: version, digest: `sha256:${"1".repeat(64)}`, platforms: {}, origin: "built" } },
  floatingTags: {},
});
const before: Published = { app: app("0.9.0") };

let logged: string[];
let status: typeof process.exitCode;

beforeEach(async () => {
  await pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) });
  logged = [];
  status = process.exitCode;
  vi.spyOn(pulumi.log, "error").mockImplementation((text) => {
    logged.push(text);
    return Promise.resolve();
  });
});
afterEach(() => {
  process.exitCode = status;
  vi.restoreAllMocks();
});

/** Concludes a run with one app that ended so. */
async function end(
  failures: readonly string[],
  outcomes: Readonly<Record<string, VersionOutcome>> = {},
  phase: Configuration["run"]["phase"] = "all",
  refused: readonly string[] = [],
) {
  const ended: AppOutcome = { published: app("1.0.0"), outcomes, problems: failures, unwritten: [], failures };
  const mirrored = new Map([["app", { ended: Promise.resolve(ended) }]]);
  const config = {
    run: { phase, records: "/nonexistent" },
    attest: { signing: { mode: "off" } },
  } as unknown as Configuration;
  const run = { config, plans: [], published: before, records: { handedOver: {}, refused } };
  const outputs = conclude(run, mirrored, { environment: {}, dryRun: false });
  const read = async <Key extends keyof StackOutputs>(key: Key): Promise<unknown> => {
    const settled = await settle<unknown>(outputs[key]);
    return settled.state === "known" ? settled.value : settled;
  };
  return { published: await read("published"), missing: await read("missing"), problems: await read("problems") };
}

describe("what was found", () => {
  const report = async (run: object, plan: Partial<AppPlan> = {}): Promise<string> => {
    const said: string[] = [];
    const info = vi.spyOn(pulumi.log, "info").mockImplementation((text) => {
      said.push(text);
      return Promise.resolve();
    });
    const plans = [
      appPlan(plan),
      appPlan({ specification: { ...appPlan({}).specification, name: "other" }, frozen: true }),
    ];
    await reportPlans(plans, { phase: "all", ...run });
    info.mockRestore();
    return said.join("\n");
  };

  it("is told before anything is done, and of other apps only that they are not part of the run", async () => {
    expect(await report({ report: "/tmp/report.json" })).toMatch(/^app \([^]*\n\nNot part of this run: other$/);
  });

  it("names no floating tag in a build run, which moves none", async () => {
    const floatingTags = [{ tag: "latest", action: "create" as const, candidates: ["1.0.0"] }];
    expect(await report({ report: "/tmp/report.json" }, { floatingTags })).toContain("latest: new → 1.0.0");
    expect(await report({ report: "/tmp/report.json", phase: "build" }, { floatingTags })).not.toContain("latest");
  });

  it("is not told in an update by hand, whose messages appear when it is not so any more", async () => {
    expect(await report({})).toBe("");
  });
});

describe("a run in which something went wrong", () => {
  it("fails, says what in one error, and records what it published all the same", async () => {
    const { published, problems } = await end(["1.1.0: it broke", "discovery failed"]);
    expect(problems).toEqual(["app: 1.1.0: it broke", "app: discovery failed"]);
    expect(logged).toEqual(["app: 1.1.0: it broke\napp: discovery failed"]);
    expect(process.exitCode).toBe(32);
    expect(published).toEqual({ app: app("1.0.0") });
  });

  it("shows what upstream wrote as escapes, in the output as in the error", async () => {
    const { problems } = await end(['1.1.0: "/a\u202e##[error]::set-output\u009b" is odd']);
    const shown = 'app: 1.1.0: "/a\\u{202e}##\\x5berror]\\x3a:set-output\\x9b" is odd';
    expect([problems, logged]).toEqual([[shown], [shown]]);
  });

  it("is one for every build record that was refused", async () => {
    const { problems } = await end([], {}, "publish", ['build record "a.json": it is not JSON']);
    expect(problems).toEqual(['build record "a.json": it is not JSON']);
    expect(process.exitCode).toBe(32);
  });
});

describe("a run in which nothing went wrong", () => {
  it("succeeds silently, also while a version waits, which is missing nevertheless", async () => {
    const { missing } = await end([], {
      "1.2.0": { state: "waiting", reason: "not tried before tomorrow" },
      "1.1.0": { state: "pending" },
      "1.0.0": { state: "published", record: app("1.0.0").versions["1.0.0"]! },
      "0.9.0": { state: "built", images: {} },
    });
    expect(missing).toEqual(["app 1.2.0", "app 1.1.0"]);
    expect(logged).toEqual([]);
    expect(process.exitCode).toBe(status);
  });

  it("passes on the record of the last run when it only builds", async () => {
    expect((await end([], {}, "build")).published).toEqual(before);
  });
});

describe("mistakes in what a run is given", () => {
  it("are left in the run file, and told without a stack trace", async () => {
    const folder = await mkdtemp(join(tmpdir(), "run-file-"));
    const environment = { MIRROR_REPORT: join(folder, "report.json") };
    const read = () => Promise.reject(new ConfigError("configuration", ["keep: 0", "apps: 1"]));
    await expect(orLeaveMistakes({ environment }, read)).rejects.toMatchObject({
      __pulumiRunError: true,
      message: "2 mistakes in the configuration:\n  - keep: 0\n  - apps: 1",
    });
    expect(JSON.parse(await readFile(environment.MIRROR_REPORT, "utf8"))).toEqual({ mistakes: ["keep: 0", "apps: 1"] });
    await rm(folder, { recursive: true });
  });

  it("are only what a ConfigError tells of", async () => {
    const read = () => Promise.reject(new Error("it broke"));
    await expect(orLeaveMistakes({ environment: {} }, read)).rejects.toThrow("it broke");
  });
});
