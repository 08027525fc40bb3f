/**
 * Picks so many items, one at random from each of as many equal stretches, so that no part is left out; the same seed picks the
 * same. All items when there are no more than that.
 * @param seed a whole number from 0, below 2 ** 32.
 */
export function spreadSample<T>(items: readonly T[], size: number, seed: number): readonly T[] {
  if (items.length <= size) return items;
  const random = generator(seed);
  return Array.from({ length: size }, (_, stretch) => {
    const from = Math.floor((stretch * items.length) / size);
    const to = Math.floor(((stretch + 1) * items.length) / size);
    return items.slice(from, to)[Math.floor(random() * (to - from))];
  }).filter((item) => item !== undefined);
}

/** mulberry32, a generator of 32 bits of state: numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
