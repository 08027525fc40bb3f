import { printable } from "../model/safeText";

/** A command for the `command` provider, which runs the interpreter's words with `command` as the last one. No shell is involved. */
export interface GitListCommand {
  readonly interpreter: [program: string, ...args: string[]];
  readonly command: string;
  readonly environment: Record<string, string>;
  readonly logging: "none";
}

/**
 * The command that lists branches and tags of a remote repository.
 *
 * Only the URL's own scheme is allowed, so that a redirect leads neither to plain HTTP nor to another transport (git-config, `protocol.allow`).
 * Git never asks for credentials, and gives up when less than 1 kB/s arrives for 30 seconds.
 * Nothing is logged: the console would otherwise show upstream's tag names as they are.
 * @param url a URL that `resolveSource` accepted.
 */
export function gitListCommand(url: string): GitListCommand {
  const scheme = url.startsWith("http:") ? "http" : "https";
  const settings = [
    "protocol.allow=never",
    `protocol.${scheme}.allow=always`,
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
  ];
  return {
    interpreter: [
      "git",
      ...settings.flatMap((setting) => ["-c", setting]),
      "ls-remote",
      "--quiet",
      "--heads",
      "--tags",
      "--",
    ],
    command: url,
    environment: { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" },
    logging: "none",
  };
}

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
