import { describe, expect, it } from "vitest";
import { tally } from "../../tools/testing/tally";

function file(status: string, ...tests: string[]) {
  return { status, assertionResults: tests.map((test) => ({ status: test })) };
}

describe("tally", () => {
  it.each([
    ["all passed", [file("passed", "passed", "passed")], true, [2, 0, 0]],
    ["one failed", [file("failed", "passed", "failed")], false, [1, 1, 0]],
    ["a file that could not be loaded", [file("failed"), file("passed", "passed")], false, [1, 1, 0]],
    ["a file whose set-up failed", [file("failed", "skipped", "skipped")], false, [0, 1, 2]],
    ["an error outside every test", [file("passed", "passed")], false, [1, 1, 0]],
    ["no file at all", [], true, [0, 0, 0]],
  ])("counts %s", (_, testResults, succeeded, [passed, failed, skipped]) => {
    expect(tally.ofReport({ testResults }, succeeded)).toEqual({ passed, failed, skipped });
  });

  it("counts a run without a report as failed", () => {
    expect(tally.ofReport(undefined, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
