import path from "node:path";
import { z } from "zod";

/** Counts of one step or of all of them. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, by name. */
  readonly failures: readonly string[];
}

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** Counting of tests. */
export const tally = {
  none: { passed: 0, failed: 0, skipped: 0, failures: [] } satisfies Tally,

  /** A check that is either good or not. */
  check: (name: string, good: boolean): Tally => ({
    passed: good ? 1 : 0,
    failed: good ? 0 : 1,
    skipped: 0,
    failures: good ? [] : [name],
  }),

  add: (left: Tally, right: Tally): Tally => ({
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
    failures: [...left.failures, ...right.failures],
  }),

  /**
   * Counts a report of vitest's JSON reporter. A file that could not be loaded counts as one failed test, and so does a
   * run that failed for another reason (an error outside any test, no report at all).
   *
   * @param report the parsed report, undefined when there is none
   * @param succeeded whether the run ended with status 0
   * @param name what to call the run when it failed as a whole
   */
  ofReport(report: unknown, succeeded: boolean, name: string): Tally {
    const files = reportSchema.safeParse(report).data?.testResults ?? [];
    const tests = files.flatMap((file) =>
      file.assertionResults.map(({ fullName, status }) => ({
        status,
        name: `${path.basename(file.name)}: ${fullName}`,
      })),
    );
    const brokenFiles = files.filter((file) => file.status === "failed" && !file.assertionResults.some(isFailed));
    const failures = [...tests.filter(isFailed), ...brokenFiles].map((failed) => failed.name);
    const passed = tests.filter(({ status }) => status === "passed").length;
    return {
      passed,
      failed: failures.length === 0 && !succeeded ? 1 : failures.length,
      skipped: tests.length - passed - tests.filter(isFailed).length,
      failures: failures.length === 0 && !succeeded ? [name] : failures,
    };
  },
};

function isFailed(result: { readonly status: string }): boolean {
  return result.status === "failed";
}
