import type { ToolName } from "../toolchain/tool";
import { tools } from "../toolchain/tools";

/** Programs that few test files need, so long to build that nobody else should wait for them. */
const special: readonly (readonly [files: readonly string[], programs: readonly ToolName[]])[] = [
  [
    ["test/e2e/keyless.test.ts", "test/faults/f36Services.test.ts", "test/faults/f36Outage.test.ts"],
    ["fulcio", "tesseract", "timestamp-server", "rekor-server"],
  ],
  [["test/e2e/registries.test.ts"], ["docker-registry", "crane"]],
  [
    [
      ...["action", "workflows", "workflowStacks", "workflowCutOff", "workflowFork"].map(
        (name) => `test/e2e/${name}.test.ts`,
      ),
      "test/faults/f36Outage.test.ts",
    ],
    ["act"],
  ],
];

/** Programs of no end-to-end test: of the checks, of the benchmarks, and what a test installs when it needs it. */
const elsewhere: readonly ToolName[] = ["actionlint", "zizmor", "regsync", "mmdebstrap"];

/** The programs that end-to-end tests need. @param files their paths within the project, with slashes. */
export function toolsFor(files: readonly string[]): readonly ToolName[] {
  const others = special.filter(([users]) => !users.some((file) => files.includes(file)));
  const left = new Set([...elsewhere, ...others.flatMap(([, names]) => names)]);
  return tools.map(({ name }) => name).filter((name) => !left.has(name));
}
