import { reasonOf } from "../model/reasonOf";
import { printable } from "../model/safeText";
import type { Transport } from "../registry/transport";
import { outputOf, type ProcessOptions } from "../system/process";

/** Names of ten thousand tags take one megabyte. */
const longestList = 64 * 1024 * 1024;
const limitMs = 120_000;

/**
 * Output of `git ls-remote` for branches and tags. No shell is involved.
 *
 * Only the URL's own scheme is allowed, and no redirect is followed: see {@link throughRedirect}.
 * Git never asks for credentials, gives up when less than 1 kB/s arrives for 30 seconds, and is ended after two minutes or 64 MiB.
 * @param url a URL that `resolveSource` accepted.
 * @throws ProcessError
 */
export async function listRemote(url: string, limits: Partial<ProcessOptions> = {}): Promise<string> {
  const words = [...gitOptions(url), "ls-remote", "--quiet", "--heads", "--tags"];
  const environment = { ...(limits.environment ?? process.env), GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" };
  const options = { title: "git ls-remote", limitMs, outputLimit: longestList, ...limits, environment };
  return outputOf("git", [...words, "--", url], options);
}

/** What git is always told of a URL: only its own scheme is spoken, no redirect is followed, and a silent host is given up. */
export function gitOptions(url: string, more: readonly string[] = []): readonly string[] {
  const scheme = url.startsWith("http:") ? "http" : "https";
  return [
    ...["protocol.allow=never", `protocol.${scheme}.allow=always`, "http.followRedirects=false"],
    ...["http.lowSpeedLimit=1000", "http.lowSpeedTime=30"],
    ...more,
  ].flatMap((setting) => ["-c", setting]);
}

/** What git says of a redirect it was told not to follow. */
const redirected = /returned error: 30[12378]\b/;
const advertisement = "/info/refs?service=git-upload-pack";

/**
 * Asks a repository by git, which follows no redirects: where its host leads to is upstream's choice. So when git meets one, the
 * address is found out by `transport`, which knows where requests must not go, and git is asked again, there. Only https is
 * gone to, so the name that was looked at cannot belong to another machine a moment later: that one would need its certificate.
 * @param ask rejects with git's own words.
 */
export async function throughRedirect<T>(
  url: string,
  transport: Transport,
  ask: (url: string) => Promise<T>,
): Promise<T> {
  try {
    return await ask(url);
  } catch (error) {
    if (!redirected.test(reasonOf(error))) throw error;
    // The second version of the protocol, because its answer is short.
    const headers = { "git-protocol": "version=2" };
    const { address } = await transport.send({
      ...{ method: "GET", url: new URL(`${url}${advertisement}`), headers, bodyLimit: longestList },
    });
    if (address.endsWith(advertisement)) return ask(address.slice(0, -advertisement.length));
    throw new Error(`${url} redirects to ${printable(new URL(address).origin, 200)}, and there to no git repository`);
  }
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
