import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { reasonOf } from "../components/model/reasonOf";
import { buildPulledImages } from "./dockerfiles/askBuildkit";
import { collectDockerfiles } from "./dockerfiles/collectDockerfiles";
import { type Comparison, compareDockerfiles } from "./dockerfiles/compareDockerfiles";
import { generateDockerfiles } from "./dockerfiles/generateDockerfiles";

interface Options {
  readonly generate: number;
  readonly seed: number;
}

const command = new Command("dockerfiles")
  .description(
    "Compares which images this project finds in Dockerfiles with which BuildKit's own conversion pulls for them. Needs Go.",
  )
  .argument("[folders...]", "folders, searched to their ends, and bare git repositories, at their heads")
  .option("--generate <count>", "made-up Dockerfiles to compare besides", wholeNumber, 0)
  .option("--seed <number>", "chooses these", wholeNumber, Date.now() % 2 ** 31);

command.parse();
main(command.args, command.opts<Options>()).catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});

async function main(folders: readonly string[], { generate, seed }: Options): Promise<void> {
  const work = await mkdtemp(path.join(tmpdir(), "dockerfiles-"));
  try {
    const program = await buildPulledImages(work);
    const found = folders.length === 0 ? [] : await collectDockerfiles(folders);
    const kinds = [
      ["real", found],
      [`generated (seed ${seed})`, generate === 0 ? [] : generateDockerfiles(generate, seed)],
    ] as const;
    for (const [kind, texts] of kinds) if (texts.length > 0) report(kind, await compareDockerfiles(program, texts));
  } finally {
    await rm(work, { recursive: true });
  }
}

function report(kind: string, { same, refused, bounded, differences }: Comparison): void {
  for (const { text, buildkit, ours } of differences)
    console.log(`${text}\n--- BuildKit pulls:\n${buildkit}\n--- here is read:\n${ours}\n===`);
  const total = same + refused + bounded + differences.length;
  console.log(
    `${total} ${kind} Dockerfiles: ${same} read alike, ${refused} refused by BuildKit, ${bounded} beyond a bound, ${differences.length} differences`,
  );
  if (differences.length > 0) process.exitCode = 1;
}

function wholeNumber(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("accepted is a whole number");
}
