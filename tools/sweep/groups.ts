/** Deals items out into groups of at most a size, like cards: the items of a group lie as far apart as they can. */
export function dealt<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, group) => items.filter((_item, position) => position % count === group));
}
