import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { checkout } from "../components/engine/checkout";
import { updateReadme } from "./support/updateReadme";
import { benchmarks } from "./benchmarks";
import type { BenchOptions } from "./support/benchOptions";
import { mergeResults } from "./support/mergeResults";
import { parseResults, type Result, resultOf } from "./support/result";
import { resultTable } from "./support/resultTable";
import { Workshop } from "./support/workshop";

interface Arguments {
  readonly only?: readonly string[];
  readonly latency: number;
  readonly rounds: number;
  readonly quick?: boolean;
  readonly write: boolean;
}

/** `npm run bench`: measures side by side on this machine. Exit status 1 when a benchmark could not be run. */
async function main(argv: readonly string[]): Promise<number> {
  const given = readArguments(argv);
  const { latency, rounds, quick = false } = given;
  const note = (line: string): void => void process.stderr.write(`${line}\n`);
  const chosen = benchmarks.filter(({ id }) => given.only?.includes(id) ?? true);
  const workshop = await Workshop.open(note);
  const interrupt = new AbortController();
  const stop = (): void => {
    interrupt.abort();
    void workshop.close().finally(() => process.exit(130));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const results: Result[] = [];
  const failures: string[] = [];
  try {
    for (const { id, measure } of chosen) {
      if (interrupt.signal.aborted) break;
      note(`${id} …`);
      const options: BenchOptions = { rounds, quick, latency, progress: (line) => note(`  ${line}`) };
      try {
        const comparisons = await measure(workshop, options);
        const circumstances = { cores: availableParallelism(), latency, load: Number((loadavg()[0] ?? 0).toFixed(2)) };
        const measured = comparisons.map((comparison) => resultOf(comparison, circumstances));
        results.push(...measured);
        // Small sizes are no results to keep. Each is kept at once: those to come take long, and may fail.
        if (given.write && !quick) keep(measured);
      } catch (error) {
        failures.push(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        note(`${id} failed`);
      }
    }
  } finally {
    await workshop.close();
  }
  process.stdout.write(`${resultTable(results)}\n${JSON.stringify(results, undefined, 2)}\n`);
  for (const failure of failures) note(failure);
  return failures.length > 0 ? 1 : 0;
}

/** Puts results in the place of those there were of the same benchmark. */
function keep(measured: readonly Result[]): void {
  const file = join(checkout, "bench/results.json");
  const earlier = existsSync(file) ? parseResults(JSON.parse(readFileSync(file, "utf8"))) : [];
  const merged = mergeResults(earlier, measured);
  writeFileSync(file, `${JSON.stringify(merged, undefined, 2)}\n`);
  updateReadme(join(checkout, "bench/README.md"), resultTable(merged));
}

function readArguments(argv: readonly string[]): Arguments {
  const known = benchmarks.map(({ id }) => id);
  return new Command("bench")
    .description("Measures the mirror and others side by side, as a Markdown table and JSON.")
    .option("--only <ids>", `some of ${known.join(",")}; the others keep their last results`, (value) =>
      list(value, known),
    )
    .option("--latency <milliseconds>", "added to every registry request", wholeNumber, 50)
    .option("--rounds <number>", "how often each contestant runs", wholeNumber, 3)
    .option("--quick", "small sizes, to see that everything works; nothing is kept then")
    .option("--no-write", "leave bench/results.json and bench/README.md as they are")
    .parse(argv, { from: "user" })
    .opts<Arguments>();
}

function list(value: string, known: readonly string[]): readonly string[] {
  const ids = value.split(",").map((id) => id.trim().toUpperCase());
  const odd = ids.filter((id) => !known.includes(id));
  if (odd.length === 0) return ids;
  throw new InvalidArgumentError(`${JSON.stringify(odd)}; accepted are ${known.join(", ")}`);
}

function wholeNumber(value: string): number {
  if (/^[0-9]{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("accepted is a whole number");
}

void main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
