import { Effort } from "./dockerfileError";

/** One step of a shell pattern: a literal character, `?` (any one) or `*` (any number). */
type Step = { readonly literal: string } | "one" | "any";

/**
 * A shell pattern as BuildKit knows it in `${name#pattern}`: `*`, `?`, backslash escapes, no brackets.
 * Matched by stepping through sets of positions, so a hostile pattern costs pattern × text at each place
 * where it is tried, which is what `effort` pays for.
 */
export class ShellPattern {
  private readonly steps: readonly Step[];

  private constructor(
    steps: readonly Step[],
    private readonly effort: Effort,
  ) {
    this.steps = steps;
  }

  /** @throws Error when a backslash stands before anything but `*`, `?`, backslash, `}` or `/`. */
  static parse(pattern: string, effort = new Effort()): ShellPattern {
    const steps: Step[] = [];
    const characters = [...pattern];
    for (let position = 0; position < characters.length; position++) {
      const character = characters[position] ?? "";
      if (character === "*") steps.push("any");
      else if (character === "?") steps.push("one");
      else if (character !== "\\") steps.push({ literal: character });
      else {
        const escaped = characters[++position];
        if (escaped === undefined || !"*?\\}/".includes(escaped)) {
          throw new Error(
            `the pattern ${JSON.stringify(pattern)} has an invalid escape; accepted are \\* \\? \\\\ \\} \\/`,
          );
        }
        steps.push({ literal: escaped });
      }
    }
    return new ShellPattern(steps, effort);
  }

  /** Removes the shortest or longest match at the start. */
  trimStart(value: string, longest: boolean): string {
    const characters = [...value];
    const length = this.match(this.steps, characters, longest);
    return length === undefined ? value : characters.slice(length).join("");
  }

  /** Removes the shortest or longest match at the end. */
  trimEnd(value: string, longest: boolean): string {
    const characters = [...value];
    const length = this.match(this.steps.toReversed(), characters.toReversed(), longest);
    return length === undefined ? value : characters.slice(0, characters.length - length).join("");
  }

  /** Replaces the leftmost longest match, or all of them, as Go does: none of nothing right behind another one. */
  replace(value: string, replacement: string, all: boolean): string {
    const characters = [...value];
    let result = "";
    let end = -1;
    for (let start = 0; start <= characters.length; start++) {
      const length = this.match(this.steps, characters.slice(start), true);
      if (length === undefined || (length === 0 && start === end)) {
        result += characters[start] ?? "";
        continue;
      }
      result += replacement;
      if (!all) return result + characters.slice(start + length).join("");
      end = start + length;
      if (length === 0) result += characters[start] ?? "";
      else start = end - 1;
    }
    return result;
  }

  private match(steps: readonly Step[], characters: readonly string[], longest: boolean): number | undefined {
    this.effort.spend((steps.length + 1) * (characters.length + 1));
    return pick(matchLengths(steps, characters), longest);
  }
}

/** How many leading characters the steps can match; ascending. */
function matchLengths(steps: readonly Step[], characters: readonly string[]): readonly number[] {
  let reached = new Set([0]);
  for (const step of steps) {
    const next = new Set<number>();
    if (step === "any") {
      // A set keeps its order, and positions are added upwards.
      const [from = 0] = reached;
      for (let position = from; position <= characters.length; position++) next.add(position);
    } else {
      for (const position of reached) {
        const matches = position < characters.length && (step === "one" || step.literal === characters[position]);
        if (matches) next.add(position + 1);
      }
    }
    if (next.size === 0) return [];
    reached = next;
  }
  return [...reached].toSorted((left, right) => left - right);
}

function pick(lengths: readonly number[], longest: boolean): number | undefined {
  return longest ? lengths.at(-1) : lengths[0];
}
