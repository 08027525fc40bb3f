/** What the command line of the test runner asks for. */
export interface TestRequest {
  /** Lint, format and types. */
  readonly checks: boolean;
  readonly projects: readonly ("unit" | "e2e")[];
  /** Parts of test file names; empty means all files. */
  readonly filters: readonly string[];
  /** Of the end-to-end tests only the one that tells the whole story, in the quick run. */
  readonly onlyStory: boolean;
}

/**
 * Reads the arguments of `npm test`: nothing for the quick run, `all` for everything, `checks`, `unit` or `e2e` for parts,
 * anything else as part of a test file's name. Naming files leaves the checks out unless they are asked for.
 */
export function testRequest(args: readonly string[]): TestRequest {
  const parts = new Set(args.filter((argument) => ["checks", "unit", "e2e"].includes(argument)));
  const filters = args.filter((argument) => !parts.has(argument) && argument !== "all");
  const projects = (["unit", "e2e"] as const).filter((project) => parts.has(project));
  const onlyChecks = parts.size === 1 && parts.has("checks") && filters.length === 0;
  return {
    checks: parts.has("checks") || (parts.size === 0 && filters.length === 0),
    projects: onlyChecks ? [] : projects.length > 0 ? projects : ["unit", "e2e"],
    filters,
    onlyStory: args.length === 0,
  };
}
