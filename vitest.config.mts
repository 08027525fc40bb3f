import { defineConfig } from "vitest/config";

const whole = ["test/e2e/**/*.test.ts", "test/faults/**/*.test.ts"];

// Not the development form, which puts where it stands into each element.
const oxc = { jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment", development: false } } as const;

export default defineConfig({
  oxc,
  test: {
    projects: [
      {
        oxc,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: whole,
          // Bounds against hanging: how long a process takes to start, or to be gone, is the machine's affair.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: {
          // Each file has a sandbox of its own, and much of its time it waits: two share two cores well.
          name: "e2e",
          include: whole,
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
