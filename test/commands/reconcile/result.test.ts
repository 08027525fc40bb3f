import { describe, expect, it } from "vitest";
import { resultOf } from "../../../commands/reconcile/result";
import { parsePlatform } from "../../../components/model/platform";
import type { ReportState, VersionReport } from "../../../components/report/appReport";

const [amd64, arm64] = ["linux/amd64", "linux/arm64"].map(parsePlatform) as [never, never];
const seen = (state: ReportState, on: readonly [ReportState, ReportState], more: Partial<VersionReport> = {}) => {
  const platforms = [
    { platform: amd64, state: on[0] },
    { platform: arm64, state: on[1] },
  ];
  const version = { version: "1.0.0", tag: "1.0.0", state, platforms, ...more };
  const app = {
    app: "tiny",
    repository: "r/tiny",
    versions: [version],
    floating: [],
    rejected: [],
    notes: [],
    problems: [],
  };
  return resultOf({ dryRun: true, apps: [app], building: [], onlyUnreadable: false }, undefined, {
    stack: "prod",
    good: true,
    whole: true,
  }).versions[0];
};

it("of a run that did something has what went wrong then: a floating tag that could not be written", () => {
  const about = { stack: "prod", good: false, whole: true };
  const nothing = { app: "tiny", repository: "r/tiny", versions: [], floating: [], notes: [], problems: [] };
  const run = { dryRun: false, apps: [{ ...nothing, rejected: [] }], building: [], onlyUnreadable: false };
  const unwritten = [{ tag: "latest", problem: "floating tag latest could not be written (403)" }];
  const problems = ["no releases", "floating tag latest could not be written (403)"];
  const results = [{ ...nothing, problems: ["no releases"], unwritten }];
  expect(resultOf(run, results, about).apps).toEqual([{ app: "tiny", problems }]);
});

describe("the result of a run that only looked", () => {
  it.each([
    ["published", ["published", "published"], { complete: true, outcome: "published" }],
    ["missing", ["will build", "missing"], { complete: false, reason: "linux/amd64 will build, linux/arm64 missing" }],
    [
      "incomplete",
      ["missing", "not offered"],
      { complete: false, outcome: "waiting", reason: "it waits for upstream" },
    ],
  ] as const)("of a version that is %s with %j is %j", (state, on, expected) => {
    expect(seen(state, on)).toMatchObject(expected);
  });

  it("says when upstream released a version, where that is known", () => {
    const released = "2026-05-01T00:00:00.000Z";
    expect(seen("published", ["published", "published"], { released })).toMatchObject({ released });
    expect(seen("published", ["published", "published"])).not.toHaveProperty("released");
  });

  it("names what is wrong before what is missing, and why a version waits", () => {
    expect(seen("unknown", ["unknown", "unknown"], { problem: "no answer" })).toMatchObject({ reason: "no answer" });
    const waits = { waits: "not tried before noon", lastFailure: "no space" };
    expect(seen("waiting", ["waiting", "waiting"], waits)).toMatchObject({
      outcome: "waiting",
      reason: "not tried before noon",
      lastFailure: "no space",
    });
  });
});
