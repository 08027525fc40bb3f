import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { toolsFor } from "../../../tools/test/toolsFor";

const keyless = "test/e2e/keyless.test.ts";
const workflows = "test/e2e/workflows.test.ts";
const faults = ["test/faults/f36Services.test.ts", "test/faults/f36Outage.test.ts"];

it("provides programs of few tests to these alone", () => {
  expect([keyless, workflows, ...faults].every(existsSync)).toBe(true);
  expect(toolsFor([keyless])).toEqual(expect.arrayContaining(["pulumi", "fulcio", "rekor-server"]));
  expect(toolsFor([keyless])).not.toContain("act");
  expect(toolsFor([workflows])).toContain("act");
  expect(toolsFor(faults)).toEqual(expect.arrayContaining(["fulcio", "act"]));
  const usual = toolsFor(["test/e2e/mirror.test.ts"]);
  expect(usual).toEqual(expect.arrayContaining(["pulumi", "buildkitd", "cosign", "syft"]));
  for (const name of ["fulcio", "act", "regsync"] as const) expect(usual).not.toContain(name);
});
