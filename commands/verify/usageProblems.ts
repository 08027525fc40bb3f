import { existsSync } from "node:fs";
import { textRule } from "../../components/config/attestConfig";
import { parseReference } from "../../components/model/reference";
import { reasonOf } from "../../components/model/reasonOf";

/** What was given to `npm run verify`, as far as it can be wrong. */
export interface VerifyUsage {
  readonly reference: string;
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly repository?: string;
  readonly commit?: string;
}

/**
 * Every mistake in it, a line each: where, what, and what is accepted. None when all can be used.
 * @param exists whether there is such a file.
 */
export function usageProblems(usage: VerifyUsage, exists: (file: string) => boolean = existsSync): readonly string[] {
  const { reference, key, identity, issuer, trustedRoot, repository, commit } = usage;
  return [
    referenceProblem(reference),
    key === undefined && identity === undefined
      ? "whose signatures to accept? Accepted is --key with a public key, or --identity with a regular expression"
      : undefined,
    key === undefined ? undefined : keyProblem(key, exists),
    identity === undefined ? undefined : patternProblem("--identity", identity),
    issuer === undefined ? undefined : patternProblem("--issuer", issuer),
    trustedRoot === undefined || exists(trustedRoot)
      ? undefined
      : problem("--trusted-root", trustedRoot, "is no file here", "a file of `cosign trusted-root create`"),
    repository === undefined || /^https?:\/\/[^\s/]+\/\S+$/.test(repository)
      ? undefined
      : problem("--repository", repository, "is no URL of a repository", "https://HOST/PATH"),
    commit === undefined || /^[0-9a-f]{40}$/.test(commit)
      ? undefined
      : problem("--commit", commit, "is no commit", "40 lower-case hex digits"),
  ].filter((line) => line !== undefined);
}

function referenceProblem(reference: string): string | undefined {
  try {
    const { tag, digest } = parseReference(reference);
    if (tag !== undefined || digest !== undefined) return undefined;
    return `${JSON.stringify(reference)} names no image of a repository; accepted is a tag or a digest behind it`;
  } catch (error) {
    return reasonOf(error);
  }
}

function keyProblem(key: string, exists: (file: string) => boolean): string | undefined {
  if (/^[a-z0-9]+:\/\/./.test(key) || exists(key)) return undefined;
  return problem("--key", key, "is no file here", "a file, env://NAME, or the URI of a key management service");
}

function patternProblem(option: string, pattern: string): string | undefined {
  if (textRule(pattern) !== undefined) return undefined;
  const accepted = "a URL, or a regular expression that begins with ^, without alternatives outside of brackets";
  return problem(option, pattern, pattern.startsWith("^") ? "is not that" : "would match anywhere in a name", accepted);
}

function problem(option: string, value: string, what: string, accepted: string): string {
  return `${option} ${JSON.stringify(value)} ${what}; accepted is ${accepted}`;
}
