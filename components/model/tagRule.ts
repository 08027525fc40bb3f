import { createContext, Script } from "node:vm";

/** What {@link tagRuleMistake} asks for. */
export const acceptedTagRule =
  "a regular expression from ^ to $ that captures the version, such as /^v(\\d+\\.\\d+\\.\\d+)$/ or, with a revision, /^v(?<version>\\d+\\.\\d+)(?:-r(?<revision>\\d+))?$/";

/**
 * Tags that are versions where the app does not say it: numbers, and a revision written `p20` or as build metadata (`+k3s1`).
 * Nothing but nines (`99.99.99.4478`) is what people call a build that is to be above all versions.
 */
export const defaultTagRule =
  /^[vV]?(?!(?:99+\.){2})(?<version>\d+(?:\.\d+){0,4})(?:(?:p|\+[0-9A-Za-z.-]*?)(?<revision>\d+))?$/;

const group = String.raw`(?<!\\)(?:\\\\)*`;

/**
 * Says what is wrong with an app's tag rule, or undefined. A rule that is not tied to both ends, or of whose captures it is not
 * plain which one is the version, would take tags for versions that are none.
 */
export function tagRuleMistake({ source, flags }: RegExp): string | undefined {
  if (/[gmy]/.test(flags)) return `the flags ${JSON.stringify(flags)} are not: g, m and y let it match parts of a tag`;
  if (!source.startsWith("^") || !new RegExp(`${group}\\$$`).test(source)) return "it is not tied to both ends";
  if (hasOuterAlternative(source)) return "of its alternatives not every one is tied to both ends; put them in (?:…)";
  const empty = new RegExp(`${source}|`, flags).exec("");
  const groups = (empty?.length ?? 1) - 1;
  const names = Object.keys(empty?.groups ?? {});
  if (names.length === 0)
    return groups === 1 ? undefined : `it has ${groups === 0 ? "no capture group" : `${groups} capture groups`}`;
  const unknown = names.find((name) => name !== "version" && name !== "revision");
  if (unknown !== undefined) return `it names a group ${JSON.stringify(unknown)}; there are "version" and "revision"`;
  if (!names.includes("version")) return 'it names no group "version"';
  return groups === names.length
    ? undefined
    : "it has capture groups without a name beside those with one; write (?:…)";
}

/**
 * The version a tag says by a rule: the text from the version to the revision, if it has one, as upstream writes it; undefined
 * when the rule does not match the whole tag. A capture without a name is a version of numbers and dots; one with the name may hold more.
 */
export function captured(tag: string, rule: RegExp): string | undefined {
  // A `g` or `y` flag makes a regular expression remember where it stopped, and skip every other tag.
  const match = new RegExp(rule.source, `${rule.flags.replace(/[dgy]/g, "")}d`).exec(tag);
  if (match === null || match[0] !== tag) return undefined;
  const { version, revision } = match.indices?.groups ?? {};
  if (version === undefined) return /^\d+(?:\.\d+)*$/.test(match[1] ?? "") ? match[1] : "";
  const name = tag.slice(version[0], Math.max(version[1], revision?.[1] ?? 0));
  return /^[\w.+-]+$/.test(name) ? name : "";
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

const limitMs = 5_000;
const script = new Script("work()");
const global: { work: () => unknown } = { work: () => undefined };
const context = createContext(global);

/**
 * Does work with a regular expression of an app file on what upstream wrote: some take for ever on a text made for that, and nothing
 * but V8 can end them, which does so for the time limit of a script.
 * @param what is matched with what, in words.
 * @throws Error saying that it took too long; what the work throws.
 */
export function inTime<T>(what: string, work: () => T): T {
  global.work = work;
  try {
    return script.runInContext(context, { timeout: limitMs }) as T;
  } catch (error) {
    const overdue = (error as { readonly code?: unknown } | undefined)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    if (!overdue) throw error;
    const remedy = "write it without repetitions of what repeats, such as (a+)+";
    throw new Error(`${what} took longer than ${limitMs / 1000} s, the most it may; ${remedy}`, { cause: error });
  } finally {
    global.work = () => undefined;
  }
}
