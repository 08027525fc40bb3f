import { ensureTools } from "../toolchain/ensureTools";
import { MissingToolError } from "../toolchain/missingToolError";
import type { ToolName } from "../toolchain/tool";

/** A test file that needs programs no other needs, so long to build that not every test run does. */
export interface OptionalTest {
  /** Path within the project. */
  readonly file: string;
  readonly tools: readonly ToolName[];
}

/** They run where their programs are built already, and with `npm run test:all`, which builds them. */
export const optionalTests: readonly OptionalTest[] = [
  { file: "test/e2e/keyless.test.ts", tools: ["fulcio", "tesseract", "timestamp-server", "rekor-server"] },
  { file: "test/e2e/workflows.test.ts", tools: ["act"] },
];

/** Those whose programs nobody has built yet. */
export async function unprovided(tests: readonly OptionalTest[]): Promise<readonly OptionalTest[]> {
  const missing: OptionalTest[] = [];
  for (const test of tests) if (!(await built(test.tools))) missing.push(test);
  return missing;
}

async function built(names: readonly ToolName[]): Promise<boolean> {
  try {
    await ensureTools(names, { make: false });
    return true;
  } catch (error) {
    if (error instanceof MissingToolError) return false;
    throw error;
  }
}
