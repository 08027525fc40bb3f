import { printable } from "./printable";

/** Commits of a remote repository's tags and branches, by name without `refs/…/`. */
export interface RemoteReferences {
  /** Annotated tags are peeled: the commit, not the tag object. */
  readonly tags: ReadonlyMap<string, string>;
  readonly branches: ReadonlyMap<string, string>;
}

const line = /^([0-9a-f]{40})\trefs\/(tags|heads)\/(.+)$/;
const peeledMark = "^{}";

/**
 * Reads the output of `git ls-remote --heads --tags`. A name ending in `^{}` is the peeled form of an annotated tag; no real tag can end so.
 * @throws Error on the first line that is not `<40 hex digits> TAB refs/tags/…` or `refs/heads/…`: half an answer is no answer.
 */
export function readRemoteReferences(output: string): RemoteReferences {
  const tags = new Map<string, string>();
  const peeled = new Map<string, string>();
  const branches = new Map<string, string>();
  for (const text of output.split("\n")) {
    if (text === "") continue;
    const [, commit, kind, name] = line.exec(text) ?? [];
    if (commit === undefined || name === undefined) throw new Error(`git ls-remote printed ${printable(text, 100)}`);
    if (kind === "heads") branches.set(name, commit);
    else if (name.endsWith(peeledMark)) peeled.set(name.slice(0, -peeledMark.length), commit);
    else tags.set(name, commit);
  }
  return { tags: new Map([...tags, ...peeled]), branches };
}
