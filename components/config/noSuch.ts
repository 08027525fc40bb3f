/** Says that a name is not known, which one was probably meant and which there are. */
export function noSuch(kind: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const suggestion = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  return `there is no such ${kind}${suggestion}${suggestion ? " Known" : "; known"} are ${known.join(", ")}`;
}

/**
 * The candidate a mistyped name most likely meant, or undefined when none is close: at most a third of its letters
 * may differ, and at least one. Distance is Levenshtein's; names in a configuration are short.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  // A name far longer than any candidate cannot be near one, and the table below would be needlessly large.
  if (name.length > 100) return undefined;
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((left, right) => left.distance - right.distance);
  return best?.candidate;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const substituted = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
