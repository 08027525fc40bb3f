import { z } from "zod";

/** Counts of one step or of all of them. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const reportSchema = z.object({
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

/** Counting of tests. */
export const tally = {
  none: { passed: 0, failed: 0, skipped: 0 } satisfies Tally,

  /** A check that is either good or not. */
  check: (good: boolean): Tally => ({ passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 }),

  add: (left: Tally, right: Tally): Tally => ({
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  }),

  /**
   * Counts a report of vitest's JSON reporter. A file that could not be loaded counts as one failed test, and so does a
   * run that failed for another reason (an error outside any test, no report at all).
   *
   * @param report the parsed report, undefined when there is none
   * @param succeeded whether the run ended with status 0
   */
  ofReport(report: unknown, succeeded: boolean): Tally {
    const files = reportSchema.safeParse(report).data?.testResults ?? [];
    const tests = files.flatMap((file) => file.assertionResults.map((result) => result.status));
    const brokenFiles = files.filter((file) => file.status === "failed" && !file.assertionResults.some(isFailed));
    const failed = tests.filter((status) => status === "failed").length + brokenFiles.length;
    const passed = tests.filter((status) => status === "passed").length;
    return {
      passed,
      failed: failed === 0 && !succeeded ? 1 : failed,
      skipped: tests.length - passed - tests.filter((status) => status === "failed").length,
    };
  },
};

function isFailed(result: { readonly status: string }): boolean {
  return result.status === "failed";
}
