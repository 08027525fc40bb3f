import { describe, expect, it } from "vitest";
import { decideVersion, type VersionPlan } from "../../components/decide/versionPlan";
import { floatingTagMoves } from "../../components/decide/floatingTags";
import type { UnknownCause } from "../../components/model/probe";
import { untouched } from "../../components/declare/versionOutcome";
import { runFile } from "../../components/report/runFile";
import { appPlan, both, planned } from "../declare/plans";

const present = { digest: `sha256:${"a".repeat(64)}`, platforms: {} } as const;

it("leaves what went wrong in the last try of a version that waits, however often it failed", () => {
  const left = (count: number) => {
    const failure = { count, last: "2026-01-10T00:00:00Z", reason: "no space" };
    const waiting = { until: new Date("2026-01-11T00:00:00Z"), failure };
    const version = planned({ plan: { state: "missing", build: [], keep: {}, lacking: both }, recipes: [], waiting });
    const plan = appPlan({ versions: [version] });
    const outcomes = { [version.version]: untouched(version) };
    const published = { repository: plan.repository, versions: {}, floatingTags: {} };
    const ended = { published, outcomes, problems: [], unwritten: [], failures: [] };
    const { results } = runFile([plan], undefined, new Map([[plan.specification.name, ended]]));
    return results?.[0]?.versions[0];
  };
  expect(left(1)).toMatchObject({ outcome: "waiting", lastFailure: "no space" });
  expect(left(7)?.reason).not.toBe(left(1)?.reason);
  expect(left(7)?.lastFailure).toBe("no space");
});

it.each<[Partial<VersionPlan>, string]>([
  [{ state: "missing" }, "missing"],
  [{ state: "partial", present }, "incomplete"],
  [{ state: "published", present }, "incomplete"],
  [{ state: "unknown" }, "unknown"],
  [{ state: "moved", present }, "moved"],
  [{ state: "not ours", present }, "not ours"],
])("calls a version that failed %j %s: what is published is not missing", (over, outcome) => {
  const version = planned({ plan: { state: "missing", build: [], keep: {}, lacking: [], ...over }, recipes: [] });
  const plan = appPlan({ versions: [version] });
  const outcomes = { [version.version]: { state: "failed", reason: "why" } as const };
  const published = { repository: plan.repository, versions: {}, floatingTags: {} };
  const unwritten = [{ tag: "latest", problem: "floating tag latest could not be written" }];
  const ended = { published, outcomes, problems: ["discovery failed"], unwritten, failures: [] };
  const { results } = runFile([plan], undefined, new Map([[plan.specification.name, ended]]));
  expect(results).toMatchObject([{ versions: [{ outcome, reason: "why" }], problems: ended.problems, unwritten }]);
});

it("counts what was there already as that after a run that only builds", () => {
  const plan = { state: "published", build: [], keep: {}, origin: "adopted", lacking: [], present } as const;
  const version = planned({ plan, recipes: [] });
  const app = appPlan({ versions: [version] });
  const outcomes = { [version.version]: { state: "built", images: {} } as const };
  const published = { repository: app.repository, versions: {}, floatingTags: {} };
  const ended = { published, outcomes, problems: [], unwritten: [], failures: [] };
  const { results } = runFile([app], undefined, new Map([[app.specification.name, ended]]));
  expect(results?.[0]?.versions).toMatchObject([{ outcome: "adopted" }]);
});

it("does not say of a floating tag that was to be made, and was not, that it is there", () => {
  const move = { tag: "latest", action: "create", candidates: ["1.0.0"] } as const;
  const plan = appPlan({ versions: [planned()], floatingTags: [move] });
  const published = { repository: plan.repository, versions: {}, floatingTags: {} };
  const ended = { published, outcomes: {}, problems: [], unwritten: [], failures: [] };
  const { results } = runFile([plan], undefined, new Map([[plan.specification.name, ended]]));
  expect(results?.[0]?.floating).toEqual([{ tag: "latest", note: "nothing it could name was published" }]);
  const unwritten = [{ tag: "latest", problem: "floating tag latest could not be written" }];
  const refused = runFile([plan], undefined, new Map([[plan.specification.name, { ...ended, unwritten }]]));
  expect(refused.results?.[0]?.floating).toEqual([{ tag: "latest", note: "it could not be written" }]);
});

describe("that all which went wrong is what nobody may read", () => {
  const facts = { wanted: both, required: both, inWindow: true };
  const unknown = (cause: UnknownCause) => ({ state: "unknown", cause, reason: "403" }) as const;
  const version = (cause: UnknownCause) => planned({ plan: decideVersion({ ...facts, probe: unknown(cause) }) });
  const floating = (cause: UnknownCause) =>
    floatingTagMoves([{ tag: "latest", candidates: ["1.0.0"], fixed: false }], [], { latest: unknown(cause) });
  const broken = planned({
    plan: { ...version("outage").plan, state: "missing", problem: "its base is not to be had" },
  });
  const refused = appPlan({
    versions: [version("authorisation")],
    floatingTags: floating("authorisation"),
    problems: ["floating tag latest: 403"],
  });
  const onTop = {
    ...refused.specification,
    name: "top",
    bases: [{ app: refused.specification.name, context: "base" }],
  };

  it.each([
    ["is said of versions and floating tags", [refused], true],
    [
      "is said of a version on a base of that kind",
      [refused, appPlan({ specification: onTop, versions: [broken] })],
      true,
    ],
    [
      "is not said when a version cannot be read for another reason",
      [appPlan({ versions: [version("outage")] })],
      false,
    ],
    [
      "is not said when a floating tag cannot be read for another reason",
      [appPlan({ floatingTags: floating("outage"), problems: ["floating tag latest: 500"] })],
      false,
    ],
    ["is not said when discovery failed too", [{ ...refused, problems: [...refused.problems, "no releases"] }], false],
    ["is not said when another app has a problem", [refused, appPlan({ versions: [broken] })], false],
  ] as const)("%s", (_, plans, expected) => {
    expect(runFile(plans, undefined).onlyUnreadable).toBe(expected);
  });
});
