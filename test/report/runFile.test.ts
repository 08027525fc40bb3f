import { expect, it } from "vitest";
import { untouched } from "../../components/declare/versionOutcome";
import { runFile } from "../../components/report/runFile";
import { appPlan, both, planned } from "../declare/plans";

it("leaves what went wrong in the last try of a version that waits, however often it failed", () => {
  const left = (count: number) => {
    const failure = { count, last: "2026-01-10T00:00:00Z", reason: "no space" };
    const waiting = { until: new Date("2026-01-11T00:00:00Z"), failure };
    const version = planned({ plan: { state: "missing", build: [], keep: {}, lacking: both }, recipes: [], waiting });
    const plan = appPlan({ versions: [version] });
    const outcomes = { [version.version]: untouched(version) };
    const published = { repository: plan.repository, versions: {}, floatingTags: {} };
    const ended = { published, outcomes, failures: [] };
    const { results } = runFile([plan], undefined, new Map([[plan.specification.name, ended]]));
    return results?.[0]?.versions[0];
  };
  expect(left(1)).toMatchObject({ outcome: "waiting", lastFailure: "no space" });
  expect(left(7)?.reason).not.toBe(left(1)?.reason);
  expect(left(7)?.lastFailure).toBe("no space");
});
