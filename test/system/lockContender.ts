import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../components/system/lock";

/**
 * A process that contends for locks, `lockContender.ts FOLDER ROUNDS NAME CONTENDERS`. Without a name it takes all of them and
 * holds them until it is killed. Otherwise it begins each round together with the others, and prints the rounds in which
 * it was not alone inside.
 */
async function main(folder: string, rounds: number, name: string | undefined, contenders: number): Promise<void> {
  const lock = (round: number): string => join(folder, "locks", String(round));
  if (name === undefined) {
    for (let round = 0; round < rounds; round++) takeLock(lock(round));
    process.stdout.write("held\n");
    setInterval(() => undefined, 1000);
    return;
  }
  for (let round = 0; round < rounds; round++) {
    const start = join(folder, "start", String(round));
    mkdirSync(start, { recursive: true });
    writeFileSync(join(start, name), "");
    // All at once: whoever comes first spins.
    while (readdirSync(start).length < contenders);
    let release = takeLock(lock(round));
    for (; !release; release = takeLock(lock(round))) await new Promise((resolve) => setImmediate(resolve));
    await inside(join(folder, `inside-${round}`), round);
    release();
  }
}

async function inside(file: string, round: number): Promise<void> {
  try {
    closeSync(openSync(file, "wx"));
  } catch {
    process.stdout.write(`${round}\n`);
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
  rmSync(file, { force: true });
}

const [folder = "", rounds, name, contenders] = process.argv.slice(2);
void main(folder, Number(rounds), name, Number(contenders));
