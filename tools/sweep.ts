import { Command, InvalidArgumentError, Option } from "commander";
import { entries, type Entry, usualEntry } from "../test/e2e/support/entry";
import { spreadSample } from "./sweep/spreadSample";
import { held, sweep, sweepSummary } from "./sweep/sweep";
import type { SweepPoint } from "./sweep/sweepPoint";
import { reasonOf } from "../components/model/reasonOf";

interface Options {
  readonly sample?: number;
  readonly seed: number;
  readonly from?: number;
  readonly to?: number;
  readonly together: number;
  readonly through: Entry;
}

const command = new Command("sweep")
  .description(
    "Fails the n-th registry request of a whole first run, for every n, once with status 500 and once with a cut connection, and checks after each that nothing was lost and one clean run completes everything",
  )
  .option("--from <n>", "first request to fail", wholeNumber)
  .option("--to <n>", "last request to fail", wholeNumber)
  .option("--sample <count>", "so many points only, spread over all", wholeNumber)
  .option(
    "--together <count>",
    "so many faults in each run; what does not hold is then tried one by one",
    atLeastOne,
    1,
  )
  .addOption(new Option("--through <entry>", "what starts the runs").choices(entries).default(usualEntry()))
  .option("--seed <number>", "chooses the sample", wholeNumber, Date.now() % 2 ** 32);

const options = command.parse().opts<Options>();
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => interrupt.abort());

main(options).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});

async function main({ sample, seed, from = 1, to = Infinity, together, through }: Options): Promise<void> {
  if (sample !== undefined) console.log(`seed ${seed}`);
  const result = await sweep({
    choose: (points: readonly SweepPoint[]) => {
      const within = points.filter(({ n }) => n >= from && n <= to);
      return sample === undefined ? within : spreadSample(within, sample, seed);
    },
    together,
    through,
    progress: (line) => console.log(line),
    signal: interrupt.signal,
  });
  console.log(sweepSummary(result));
  if (!held(result) || interrupt.signal.aborted) process.exitCode = 1;
}

function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("accepted is a whole number from 1");
}

function wholeNumber(text: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("accepted is a whole number");
}
