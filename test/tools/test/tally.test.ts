import { describe, expect, it } from "vitest";
import { tally } from "../../../tools/test/tally";

function file(status: string, ...tests: string[]) {
  const assertionResults = tests.map((test, index) => ({ fullName: `case ${index}`, status: test }));
  return { name: "/project/test/a.test.ts", status, assertionResults };
}

describe("tally", () => {
  it.each([
    ["all passed", [file("passed", "passed", "passed")], true, [2, 0, 0], []],
    ["one failed", [file("failed", "passed", "failed")], false, [1, 1, 0], ["a.test.ts: case 1"]],
    [
      "a file that could not be loaded",
      [file("failed"), file("passed", "passed")],
      false,
      [1, 1, 0],
      ["/project/test/a.test.ts"],
    ],
    [
      "a file whose set-up failed",
      [file("failed", "skipped", "skipped")],
      false,
      [0, 1, 2],
      ["/project/test/a.test.ts"],
    ],
    ["an error outside every test", [file("passed", "passed")], false, [1, 1, 0], ["unit tests"]],
    ["no file at all", [], true, [0, 0, 0], []],
  ])("counts and names %s", (_, testResults, succeeded, [passed, failed, skipped], failures) => {
    expect(tally.ofReport({ testResults }, succeeded, "unit tests")).toEqual({ passed, failed, skipped, failures });
  });

  it("counts a run without a report as failed", () => {
    expect(tally.ofReport(undefined, false, "unit tests")).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  });

  it("adds counts and names", () => {
    const sum = [tally.check("eslint", false), tally.check("tsc", true), tally.check("prettier", false)].reduce(
      tally.add,
      tally.none,
    );
    expect(sum).toEqual({ passed: 1, failed: 2, skipped: 0, failures: ["eslint", "prettier"] });
  });
});
