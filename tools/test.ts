import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkout } from "../components/engine/checkout";
import { runProcess } from "../components/system/process";
import { tally, type Tally } from "./test/tally";
import { testRequest, type TestRequest } from "./test/testRequest";
import { toolsFor } from "./test/toolsFor";
import { ensureTools } from "./toolchain/ensureTools";
import { MissingToolError } from "./toolchain/missingToolError";
import type { ToolName } from "./toolchain/tool";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());

/** The end-to-end test of the quick run: from an empty registry to one in which nothing is to do. */
const story = "test/e2e/mirror.test.ts";

/**
 * `npm test`: lint, format and types, then unit and component tests, then one end-to-end test; `npm run test:all`: all of
 * them, with every tool in its pinned version. All of it counts as tests. What failed is named once more at the end; the
 * last line is `N passed, N failed`. Exits with 1 when anything failed or nothing ran.
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
  const whole = request.projects.includes("e2e") ? endToEndTests(request) : [];
  if (whole.length > 0) {
    add((await provided(toolsFor(whole))) ? await runEndToEnd(whole) : tally.check("tools", false));
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
  // Each keeps one processor busy.
  const verdicts = checks.map(async ([script, args]) => {
    const good = await run(process.execPath, [path.join("node_modules", script), ...args]);
    return verdict(path.basename(script).replace(/\..*/, ""), good);
  });
  const total = (await Promise.all(verdicts)).reduce(tally.add);
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

/** Files that mostly wait, for limits and for services that give no answer: one of them runs beside the others at any time. */
const waiting = ["f33Builds", "f33Bombs", "f36Services"].map((name) => `test/faults/${name}.test.ts`);

async function runEndToEnd(files: readonly string[]): Promise<Tally> {
  const busy = files.filter((file) => !waiting.includes(file));
  const idle = files.filter((file) => waiting.includes(file));
  const counted = await Promise.all([
    busy.length > 0 ? runTests("e2e", busy) : tally.none,
    idle.length > 0 ? runTests("e2e", idle, ["--maxWorkers=1"]) : tally.none,
  ]);
  return counted.reduce(tally.add);
}

async function runTests(
  project: "unit" | "e2e",
  filters: readonly string[],
  more: readonly string[] = [],
): Promise<Tally> {
  const folder = await mkdtemp(path.join(tmpdir(), "mirror-tests-"));
  try {
    const report = path.join(folder, "report.json");
    const vitest = path.join("node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const options = ["--project", project, "--passWithNoTests", ...reporters, ...more];
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

/** Paths of the end-to-end tests asked for, within the project. */
function endToEndTests({ filters, onlyStory }: TestRequest): readonly string[] {
  if (onlyStory) return [story];
  const files = ["test/e2e", "test/faults"].flatMap((folder) =>
    readdirSync(path.join(checkout, folder)).map((name) => `${folder}/${name}`),
  );
  const tests = files.filter((file) => file.endsWith(".test.ts"));
  return tests.filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));
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
