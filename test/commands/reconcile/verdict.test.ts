import { describe, expect, it } from "vitest";
import { parsePlatform } from "../../../components/model/platform";
import type { AppResult, VersionResult } from "../../../components/report/appResult";
import { buildOutcomes, completed, exitCode, tries } from "../../../commands/reconcile/verdict";
import type { ObservedBuild } from "../../../commands/reconcile/progress";

const amd64 = parsePlatform("linux/amd64");
const arm64 = parsePlatform("linux/arm64");
const good = { good: true };
const bad = { good: false };
const quiet = { changes: 0, errors: [] };

const version = (fields: Partial<VersionResult>): VersionResult => ({
  version: "1.0.0",
  tag: "1.0.0",
  outcome: "published",
  platforms: [],
  builds: [],
  ...fields,
});
const app = (...versions: readonly VersionResult[]): AppResult => ({
  app: "esbuild",
  repository: "localhost/mirror/esbuild",
  versions,
  floating: [],
  notes: [],
  problems: [],
});
const observed = (builds: Readonly<Record<string, ObservedBuild>>) => ({ build: (name: string) => builds[name] });

describe("the exit status", () => {
  it.each([
    ["all", good, quiet, 0],
    ["all", good, { changes: 5, errors: [] }, 0],
    ["all", bad, quiet, 1],
    ["publish", bad, { changes: 5, errors: ["esbuild: 1.0.0: broken"] }, 1],
    ["plan", good, quiet, 0],
    ["plan", good, { changes: 2, errors: [] }, 3],
    ["plan", bad, { changes: 2, errors: ["the registry answered 500"] }, 1],
    ["plan", bad, quiet, 1],
    ["plan", bad, { changes: 0, errors: ["1.0.0: the build says: one mistake in the tests"] }, 1],
  ] as const)("of phase %s that ended %j after %j is %i", (phase, ended, progress, status) => {
    expect(exitCode({ phase, acceptUnreadable: false }, ended, progress, { onlyUnreadable: false })).toBe(status);
  });

  it.each(["plan", "publish"] as const)("of phase %s that was given mistakes is 2", (phase) => {
    const left = { mistakes: ["keep: 0; accepted is a whole number"] };
    expect(exitCode({ phase, acceptUnreadable: false }, bad, { changes: 0, errors: [] }, left)).toBe(2);
  });

  it.each([
    ["plan", true, ["1.0.0: 403"], { onlyUnreadable: true }, 0],
    ["plan", false, ["1.0.0: 403"], { onlyUnreadable: true }, 1],
    ["plan", true, ["1.0.0: 403\n1.1.0: 500"], { onlyUnreadable: false }, 1],
    ["plan", true, ["1.0.0: 403", "a provider broke"], { onlyUnreadable: true }, 1],
    ["plan", true, [], { onlyUnreadable: true }, 1],
    ["plan", true, ["it broke off"], undefined, 1],
    ["all", true, ["1.0.0: 403"], { onlyUnreadable: true }, 1],
  ] as const)(
    "of phase %s that takes what nobody may read (%s) after %j with %j is %i",
    (phase, acceptUnreadable, errors, left, status) => {
      expect(exitCode({ phase, acceptUnreadable }, bad, { changes: 0, errors }, left)).toBe(status);
    },
  );
});

describe("records of builds", () => {
  const building = [amd64, arm64].map((platform) => ({ app: "esbuild", version: "1.0.0", platform }));

  it("say how long each platform took", () => {
    const results = [app(version({ platforms: [amd64, arm64] }))];
    const progress = observed({
      "esbuild-1.0.0-linux-amd64": { state: "built", seconds: 4 },
      "esbuild-1.0.0-linux-arm64": { state: "built", seconds: 9 },
    });
    expect(buildOutcomes({ building, results }, progress, good)).toEqual([
      { app: "esbuild", version: "1.0.0", platform: amd64, seconds: 4 },
      { app: "esbuild", version: "1.0.0", platform: arm64, seconds: 9 },
    ]);
  });

  it("say which platform failed and why, be it the build or the check after it", () => {
    const results = [app(version({ outcome: "missing", platforms: [], reason: "it broke" }))];
    const progress = observed({
      "esbuild-1.0.0-linux-amd64": { state: "failed", seconds: 4 },
      "esbuild-1.0.0-linux-arm64": { state: "built", seconds: 9 },
    });
    expect(buildOutcomes({ building, results }, progress, bad)).toEqual([
      { app: "esbuild", version: "1.0.0", platform: amd64, reason: "it broke", ofVersion: true },
      { app: "esbuild", version: "1.0.0", platform: arm64, seconds: 9, reason: "it broke", ofVersion: true },
    ]);
  });

  it("say what BuildKit said, where it is known", () => {
    const results = [app(version({ outcome: "missing", platforms: [], reason: "the build for linux/amd64 failed" }))];
    const failed = { state: "failed", seconds: 4, failure: "exit code: 2" } as const;
    const [first] = buildOutcomes({ building, results }, observed({ "esbuild-1.0.0-linux-amd64": failed }), bad);
    expect(first).toEqual({ ...building[0], reason: "exit code: 2" });
  });

  it("say of a build that was ended because of its time how long it may take", () => {
    const [limited] = building.map((one) => ({ ...one, limitSeconds: 5400 }));
    const failed = { state: "failed", seconds: 5400, failure: "context deadline exceeded" } as const;
    const records = (seconds: number) =>
      buildOutcomes({ building: [limited!] }, observed({ "esbuild-1.0.0-linux-amd64": { ...failed, seconds } }), bad);
    expect(records(5400)[0]?.reason).toBe("it took longer than 90m, the most it may (buildLimit)");
    expect(records(5399)[0]?.reason).toBe("context deadline exceeded");
  });

  it("take what never came to an end for a failure: a release must not burn the time limit four times a day", () => {
    const progress = observed({ "esbuild-1.0.0-linux-amd64": { state: "building", seconds: 0 } });
    const [first] = buildOutcomes({ building: building.slice(0, 1) }, progress, {
      good: false,
      stopped: "no end within 330 min",
    });
    expect(first?.reason).toBe("it did not end: no end within 330 min");
  });
});

describe("completed results", () => {
  it("hold the times of builds on other machines, and their reasons", () => {
    const results = [app(version({ outcome: "missing", reason: "no build run handed over an image for linux/arm64" }))];
    const records = [
      { app: "esbuild", version: "1.0.0", platform: amd64, seconds: 4 },
      { app: "esbuild", version: "1.0.0", platform: arm64, reason: "exit code 1" },
      { app: "other", version: "1.0.0", platform: arm64, reason: "not this" },
    ];
    expect(completed(results, records, { phase: "publish" })[0]?.versions[0]).toMatchObject({
      builds: [{ platform: amd64, seconds: 4 }],
      reason: "linux/arm64: exit code 1",
    });
  });

  it("say why a tag could not be written, a version's as well as a floating one", () => {
    const broken = app(version({ outcome: "missing", reason: "the index could not be written" }));
    // Which tag it is says the field; the words may be any.
    const unwritten = [{ tag: "latest", problem: "the tag that moves was left where it is" }];
    const results = [{ ...broken, problems: ["floating tag stable could not be written"], unwritten }];
    const refused = { "esbuild-1.0.0": "403 Forbidden", "esbuild-latest": "405", "esbuild-stable": "500" };
    const refusal = (name: string) => refused[name as keyof typeof refused];
    expect(completed(results, [], { phase: "publish", refusal })).toMatchObject([
      {
        versions: [{ reason: "the index could not be written (403 Forbidden)" }],
        problems: ["floating tag stable could not be written"],
        unwritten: [{ tag: "latest", problem: "the tag that moves was left where it is (405)" }],
      },
    ]);
  });

  it("say why what belongs to a version could not be attached to it", () => {
    const results = [app(version({ outcome: "incomplete", reason: "it is published, but not fully attested" }))];
    const refusal = (name: string) => ({ "esbuild-1.0.0-attestation": "no SBOM linux/amd64: 503" })[name];
    expect(completed(results, [], { phase: "publish", refusal })[0]?.versions[0]?.reason).toBe(
      "it is published, but not fully attested (no SBOM linux/amd64: 503)",
    );
  });

  it("do not say the same twice", () => {
    const results = [app(version({ outcome: "missing", reason: "it broke" }))];
    const records = [arm64, amd64].map((platform) => ({
      app: "esbuild",
      version: "1.0.0",
      platform,
      reason: "it broke",
    }));
    expect(completed(results, records, { phase: "publish" })[0]?.versions[0]?.reason).toBe(
      "linux/amd64, linux/arm64: it broke",
    );
  });
});

it("says of a version whose build failed what that printed last, and of a check what it says itself", () => {
  const building = [amd64, arm64].map((platform) => ({ app: "esbuild", version: "1.0.0", platform }));
  const failedStep = { name: "[2/2] RUN make", lines: ["\u001b[1mboom"] };
  const progress = observed({
    "esbuild-1.0.0-linux-amd64": { state: "failed", seconds: 4, failure: "exit code: 2", failedStep },
    "esbuild-1.0.0-linux-arm64": { state: "built", seconds: 9 },
  });
  const told = (results: readonly AppResult[]) =>
    completed(results, buildOutcomes({ building, results }, progress, bad), { phase: "all" })[0]?.versions[0];
  const first = told([app(version({ outcome: "missing", reason: "the build for linux/amd64 failed" }))]);
  expect(first?.log).toEqual(["linux/amd64 [2/2] RUN make", "\\x1b[1mboom"]);
  expect(first?.reason).toContain("linux/amd64: exit code: 2");
  const failed = { app: "esbuild", version: "1.0.0", platform: amd64, reason: "linux/arm64: it is for amd64" };
  const reasonOf = (ofVersion: boolean) => {
    const outcomes = [{ ...failed, ...(ofVersion && { ofVersion }) }];
    return completed([app(version({ outcome: "missing" }))], outcomes, { phase: "all" })[0]?.versions[0]?.reason;
  };
  expect(reasonOf(true)).toBe("linux/arm64: it is for amd64");
  // What a build prints is its own, whatever it looks like.
  expect(reasonOf(false)).toBe("linux/amd64: linux/arm64: it is for amd64");
});

describe("what a run adds to the record of failures", () => {
  it("is what failed to build, and what is complete", () => {
    const results = [
      app(
        version({ version: "1.2.0", outcome: "missing" }),
        version({ version: "1.1.0", outcome: "waiting" }),
        version({ version: "1.0.0", outcome: "repaired" }),
      ),
    ];
    const log = ["linux/amd64 [2/2] RUN make", "boom"];
    const records = [{ app: "esbuild", version: "1.2.0", platform: amd64, reason: "exit code 1", log }];
    const at = new Date(0);
    expect(tries(results, records, at)).toEqual({
      failed: new Map([["esbuild/1.2.0", "linux/amd64: exit code 1"]]),
      logs: new Map([["esbuild/1.2.0", log]]),
      complete: new Set(["esbuild/1.0.0"]),
      at,
    });
  });

  it("is every platform's reason, and none for a version that is complete in spite of an earlier try", () => {
    const results = [app(version({ version: "1.2.0", outcome: "missing" }), version({ outcome: "published" }))];
    const failed = (name: string, platform: typeof amd64, reason: string) => ({
      app: "esbuild",
      version: name,
      platform,
      reason,
    });
    const records = [
      failed("1.2.0", arm64, "exit code 2"),
      failed("1.2.0", amd64, "exit code 1"),
      failed("1.0.0", amd64, "of the last attempt"),
    ];
    const { failed: found, complete } = tries(results, records, new Date(0));
    expect(found).toEqual(new Map([["esbuild/1.2.0", "linux/amd64: exit code 1; linux/arm64: exit code 2"]]));
    expect(complete).toEqual(new Set(["esbuild/1.0.0"]));
  });

  it("is nothing for a version whose images are there but which could not be published: no build failed", () => {
    const results = [app(version({ outcome: "missing", reason: "the index could not be written" }))];
    expect(
      tries(results, [{ app: "esbuild", version: "1.0.0", platform: amd64, seconds: 3 }], new Date(0)).failed.size,
    ).toBe(0);
  });
});
