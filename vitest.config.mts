import { defineConfig } from "vitest/config";

const whole = ["test/e2e/**/*.test.ts", "test/faults/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: whole,
          testTimeout: 30_000,
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
