import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkout } from "../components/engine/checkout";
import { runProcess } from "../components/system/process";
import { optionalTests, unprovided } from "./test/optionalTests";
import { tally, type Tally } from "./test/tally";
import { testRequest, type TestRequest } from "./test/testRequest";
import { ensureTools } from "./toolchain/ensureTools";
import { MissingToolError } from "./toolchain/missingToolError";
import type { ToolName } from "./toolchain/tool";
import { tools } from "./toolchain/tools";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());

const wholeRuns = ["test/e2e", "test/faults"];

/**
 * `npm test`: lint, format and types, then unit and component tests, then the end-to-end tests with every tool in its
 * pinned version. All of it counts as tests. What failed is named once more at the end; the last line is
 * `N passed, N failed`. Exits with 1 when anything failed or nothing ran.
 */
async function main(args: readonly string[]): Promise<number> {
  const request = testRequest(args);
  let total: Tally = tally.none;
  const add = (counted: Tally): void => {
    total = tally.add(total, counted);
  };
  if (request.checks) {
    add(await checkSources());
  }
  if (request.projects.includes("unit")) {
    add(await runTests("unit", request.filters));
  }
  if (request.projects.includes("e2e") && hasWholeRuns(request)) {
    add((await provideTools(request)) ? await runTests("e2e", request.filters) : tally.check("tools", false));
  }
  if (total.passed + total.failed === 0) {
    process.stderr.write(`no test matches ${JSON.stringify(request.filters)}\n`);
  }
  for (const name of total.failures) {
    console.log(`✗ ${name}`);
  }
  if (total.skipped > 0) {
    console.log(`${total.skipped} skipped`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function checkSources(): Promise<Tally> {
  const cache = path.join("node_modules", ".cache");
  const checks: (readonly [string, readonly string[]])[] = [
    ["typescript/bin/tsc", ["--noEmit", "--incremental", "--tsBuildInfoFile", path.join(cache, "tsc.tsbuildinfo")]],
    ["eslint/bin/eslint.js", ["."]],
    ["prettier/bin/prettier.cjs", ["--check", "--log-level", "warn", "."]],
  ];
  let total: Tally = tally.none;
  for (const [script, args] of checks) {
    const good = await run(process.execPath, [path.join("node_modules", script), ...args]);
    total = tally.add(total, verdict(path.basename(script).replace(/\..*/, ""), good));
  }
  return existsSync(path.join(checkout, ".github", "workflows")) ? tally.add(total, await checkWorkflows()) : total;
}

async function checkWorkflows(): Promise<Tally> {
  const checks = [
    ["actionlint", ["-color"]],
    ["zizmor", ["--offline", "--quiet", ".github/workflows", "action.yml"]],
  ] as const;
  let total: Tally = tally.none;
  for (const [name, args] of checks) {
    const program = await provided([name]);
    total = tally.add(total, verdict(name, program !== undefined && (await run(path.join(program, name), args))));
  }
  return total;
}

function verdict(name: string, good: boolean): Tally {
  console.log(`${good ? "✓" : "✗"} ${name}`);
  return tally.check(name, good);
}

async function runTests(project: "unit" | "e2e", filters: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(path.join(tmpdir(), "mirror-tests-"));
  try {
    const report = path.join(folder, "report.json");
    const vitest = path.join("node_modules", "vitest", "vitest.mjs");
    const left = project === "e2e" ? await unprovided(optionalTests) : [];
    for (const { file, tools: missing } of left)
      console.log(`${file} is left out: ${missing.join(", ")} is not built here; npm run test:all builds it`);
    const exclusions = left.flatMap(({ file }) => ["--exclude", file]);
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const options = ["--project", project, "--passWithNoTests", ...exclusions, ...reporters];
    const succeeded = await run(process.execPath, [vitest, "run", ...options, ...filters]);
    return tally.ofReport(readReport(report), succeeded, `${project} tests`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function hasWholeRuns(request: TestRequest): boolean {
  const files = wholeRuns
    .filter((folder) => existsSync(path.join(checkout, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(checkout, folder), { recursive: true, encoding: "utf8" }).map(
        (file) => `${folder}/${file}`,
      ),
    )
    .filter((file) => file.endsWith(".test.ts"));
  return files.some((file) => request.filters.length === 0 || request.filters.some((part) => file.includes(part)));
}

async function provideTools({ all }: TestRequest): Promise<boolean> {
  const special = all ? [] : optionalTests.flatMap((test) => test.tools);
  const left = ["mmdebstrap", "actionlint", "zizmor", ...special];
  const needed = tools.map((tool) => tool.name).filter((name) => !left.includes(name));
  return (await provided(needed)) !== undefined;
}

/** The folder with the programs; undefined, and the reason printed, when one cannot be had. */
async function provided(names: readonly ToolName[]): Promise<string | undefined> {
  try {
    return (await ensureTools(names)).folder;
  } catch (error) {
    if (!(error instanceof MissingToolError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** Runs a program in the repository's root, its output shown as it comes. True when it ends with status 0. */
async function run(program: string, args: readonly string[]): Promise<boolean> {
  const how = { directory: checkout, limitMs: Infinity, visible: true, signal: interrupt.signal, graceMs: 10_000 };
  const { status } = await runProcess(program, args, how);
  return status === 0;
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
  },
);
