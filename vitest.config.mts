import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const whole = ["test/e2e/**/*.test.ts", "test/faults/**/*.test.ts"];

/** The files that take minutes. Those with a Sigstore, of which a machine runs one at a time, are apart. */
const longest = [
  ...["faults/f33Builds", "faults/f33Bombs", "faults/f36Services"],
  ...["faults/f32Registries", "e2e/registries", "faults/f08", "e2e/firstSteps", "e2e/phases", "e2e/keyless"],
  ...["faults/f16Attestations", "e2e/isolation", "faults/f12"],
  ...["e2e/mirror", "e2e/workflowCutOff", "e2e/workflows", "e2e/laptopDemo", "faults/f37Killed"],
];

/** Begins with the longest, so that none of them runs on alone at the end; all others in vitest's own order. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return found < 0 ? longest.length : found;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

// Not the development form, which puts where it stands into each element.
const oxc = { jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment", development: false } } as const;

export default defineConfig({
  oxc,
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        oxc,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: whole,
          maxWorkers: "100%",
          // Bounds against hanging: how long a process takes to start, or to be gone, is the machine's affair.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: {
          // Each file has a sandbox of its own, and two of them keep two cores busy; more gain little.
          name: "e2e",
          include: whole,
          maxWorkers: 2,
          testTimeout: 600_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
