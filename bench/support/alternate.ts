/** One way of doing the work. Resolves to what it took. */
export type Contestant = () => Promise<number>;

/**
 * Lets contestants take turns, so that whatever else the machine does meets them alike: every round each of them once,
 * every other round in reverse order.
 * @param progress told every measurement.
 */
export async function alternate<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  rounds: number,
  progress: (line: string) => void = () => {},
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of round % 2 === 1 ? names : names.toReversed()) {
      const took = await contestants[name]();
      samples[name].push(took);
      progress(`round ${round}, ${name}: ${took.toFixed(2)}`);
    }
  }
  return samples;
}
