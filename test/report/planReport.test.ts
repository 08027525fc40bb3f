import { describe, expect, it } from "vitest";
import {
  nothingPlanned,
  type AppPlan,
  type PlannedFloatingTag,
  type PlannedVersion,
} from "../../components/decide/appPlan";
import type { Digest } from "../../components/model/digest";
import type { VersionPlan } from "../../components/decide/versionPlan";
import { planReport } from "../../components/report/planReport";

const digest: Digest = `sha256:${"a".repeat(64)}`;
const both = { digest, platforms: { "linux/amd64": digest, "linux/arm64": digest } };
const one = { digest, platforms: { "linux/amd64": digest } };

function report(plan: Partial<VersionPlan>, more: Partial<PlannedVersion> = {}) {
  const version: PlannedVersion = {
    ...nothingPlanned,
    version: "1.0.0",
    tag: "1.0.0",
    plan: { state: "published", build: [], keep: {}, lacking: [], ...plan },
    ...more,
  };
  return planReport(appPlan({ versions: [version] }), new Map([["1.0.0", ["unsigned"]]]));
}

function appPlan(more: Partial<AppPlan>): AppPlan {
  return {
    specification: { name: "app", source: { kind: "githubReleases", repository: "up/app" } },
    repository: "ghcr.io/acme/app",
    platforms: ["linux/amd64", "linux/arm64"],
    versions: [],
    floatingTags: [],
    rejected: [],
    notes: [],
    problems: [],
    ...more,
  };
}

describe("planReport", () => {
  it.each<[string, Partial<VersionPlan>, Partial<PlannedVersion>, readonly string[]]>([
    ["published", { present: both, origin: "built" }, {}, ["published", "published", "published"]],
    ["adopted", { present: both, origin: "adopted" }, {}, ["adopted", "adopted", "adopted"]],
    [
      "absent",
      { state: "missing", build: ["linux/amd64", "linux/arm64"] },
      {},
      ["missing", "will build", "will build"],
    ],
    ["partial", { state: "partial", build: ["linux/arm64"], present: one }, {}, ["partial", "published", "will build"]],
    [
      "copied",
      { state: "missing", build: ["linux/amd64", "linux/arm64"] },
      { copies: { "linux/arm64": `up/app@${digest}` } },
      ["missing", "will build", "will copy"],
    ],
    [
      "not offered",
      { state: "missing", build: ["linux/amd64"] },
      { notOffered: { "linux/arm64": "no file" } },
      ["missing", "will build", "not offered"],
    ],
    ["unknown", { state: "unknown" }, {}, ["unknown", "unknown", "unknown"]],
    ["moved", { state: "moved", present: one }, {}, ["moved", "published", "missing"]],
    ["gone", { state: "gone" }, {}, ["gone", "gone", "gone"]],
    ["skipped", { present: one, origin: "built" }, { official: ["linux/arm64"] }, ["published", "published", "-"]],
  ])("shows a version that is %s", (_, plan, more, expected) => {
    const [version] = report(plan, more).versions;
    expect([version?.state, ...(version?.platforms ?? []).map(({ state }) => state)]).toEqual(expected);
  });

  it("says of a platform that is missing as the run was asked for others that it is so", () => {
    const lacking = ["linux/arm64"] as const;
    const missing = report({ state: "incomplete", lacking }, { elsewhere: lacking }).versions[0]?.platforms;
    expect(missing?.find(({ platform }) => platform === "linux/arm64")).toMatchObject({
      ...{ state: "missing", note: "this run builds nothing for it" },
    });
  });

  it("passes on problems, gaps and why a platform is not offered", () => {
    const plan = { state: "missing", build: ["linux/amd64"], problem: "broken" } as const;
    const [version] = report(plan, { notOffered: { "linux/arm64": "no file" } }).versions;
    expect(version).toMatchObject({ problem: "broken", notes: ["unsigned"] });
    expect(version?.platforms[1]).toEqual({ platform: "linux/arm64", state: "not offered", note: "no file" });
  });

  it("says until when a version waits, and apart from it what went wrong in the last try", () => {
    const failure = { count: 2, last: "2026-01-10T00:00:00Z", reason: "no space" };
    const waiting = { until: new Date("2026-01-11T00:00:00Z"), failure };
    const [version] = report({ state: "missing", lacking: ["linux/amd64"] }, { waiting }).versions;
    expect(version).toMatchObject({
      state: "waiting",
      waits: "not tried before 2026-01-11T00:00Z, because it failed 2 times in a row; the last time: no space",
      lastFailure: "no space",
      notes: ["unsigned"],
    });
  });

  it("says once per platform what upstream publishes itself", () => {
    expect(report({ present: both }, { official: ["linux/arm64"] }).notes).toEqual([
      "upstream publishes linux/arm64 itself: 1.0.0",
    ]);
  });

  it.each<[PlannedFloatingTag, readonly unknown[]]>([
    [{ tag: "latest", action: "unchanged", candidates: ["1.0.0"] }, []],
    [{ tag: "latest", action: "create", candidates: ["1.0.0"] }, [{ tag: "latest", to: "1.0.0" }]],
    [
      { tag: "latest", action: "move", candidates: ["1.1.0", "1.0.0"], current: { digest, version: "0.9.0" } },
      [{ tag: "latest", from: "0.9.0", to: "1.1.0", note: "or 1.0.0, if that is not published by then" }],
    ],
    [
      { tag: "latest", action: "hold", candidates: [], current: { digest }, held: "moved by others" },
      [{ tag: "latest", from: digest, note: "moved by others" }],
    ],
  ])("shows the floating tag %j as %j", (floating, expected) => {
    expect(planReport(appPlan({ floatingTags: [floating] })).floating).toEqual(expected);
  });
});
