/** What {@link tagRuleMistake} asks for. */
export const acceptedTagRule =
  "a regular expression from ^ to $ whose single capture group is X.Y.Z, such as /^v(\\d+\\.\\d+\\.\\d+)$/";

const group = String.raw`(?<!\\)(?:\\\\)*`;

/**
 * Says what is wrong with an app's tag rule, or undefined. A rule that is not tied to both ends, or whose first capture is not
 * the version, would take tags for versions that are none.
 */
export function tagRuleMistake({ source, flags }: RegExp): string | undefined {
  if (/[gmy]/.test(flags)) return `the flags ${JSON.stringify(flags)} are not: g, m and y let it match parts of a tag`;
  if (!source.startsWith("^") || !new RegExp(`${group}\\$$`).test(source)) return "it is not tied to both ends";
  if (hasOuterAlternative(source)) return "of its alternatives not every one is tied to both ends; put them in (?:…)";
  const groups = (new RegExp(`${source}|`, flags).exec("")?.length ?? 1) - 1;
  return groups === 1 ? undefined : `it has ${groups === 0 ? "no capture group" : `${groups} capture groups`}`;
}

/** Whether a `|` stands outside all groups and character classes. */
function hasOuterAlternative(source: string): boolean {
  const bare = source.replace(/\\./g, "").replace(/\[[^\]]*\]/g, "");
  let depth = 0;
  for (const character of bare) {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (character === "|" && depth === 0) return true;
  }
  return false;
}
