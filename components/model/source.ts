import type { RepositoryOverride } from "./gitRepository";
import type { Source } from "./appSpecification";
import { printable } from "./safeText";
import { acceptedRepository, parseRepository } from "./gitRepository";

/** Where an app's versions and its git repository really are, after the stack's override; every part is checked. */
export type ResolvedSource =
  | { readonly kind: "githubReleases"; readonly repository: string; readonly url: string }
  | { readonly kind: "gitTags"; readonly url: string }
  | { readonly kind: "gitBranch"; readonly url: string; readonly branch: string };

const onGithub = /^https:\/\/github\.com\/([^/]+\/[^/]+)\.git$/;

/**
 * Applies the stack's `repository` override to an app's source, and checks the result. Nothing is requested.
 *
 * For a source of GitHub releases, `owner/name` or a URL on github.com replaces both the release list and the git repository.
 * Any other URL replaces only the git repository: the release list stays the one of the app's own repository, read from
 * wherever the `github` provider is pointed.
 * @throws Error naming the value and what is accepted.
 */
export function resolveSource(source: Source, override?: RepositoryOverride): ResolvedSource {
  const replaced = override && gitUrl(override.kind === "git" ? override.url : override.repository);
  switch (source.kind) {
    case "githubReleases": {
      const own = gitUrl(source.repository);
      const url = replaced ?? own;
      const repository = (onGithub.exec(url) ?? onGithub.exec(own))?.[1];
      if (repository !== undefined) return { kind: "githubReleases", repository, url };
      throw new Error(`${printable(own, 200)} has no releases to read; accepted is owner/name on GitHub`);
    }
    case "gitTags":
      return { kind: "gitTags", url: replaced ?? gitUrl(source.url) };
    case "gitBranch":
      return { kind: "gitBranch", url: replaced ?? gitUrl(source.url), branch: checkedBranch(source.branch) };
    default:
      return source satisfies never;
  }
}

/** Stricter than git-check-ref-format: no name that means something to git, a shell or a URL. */
function checkedBranch(branch: string): string {
  const usable = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(branch);
  if (usable && !/\.\.|\/\/|\/\.|[./]$|\.lock(\/|$)/.test(branch)) return branch;
  throw new Error(
    `${printable(branch, 200)} is no usable branch; accepted are letters, digits and . _ / - as git allows them in a branch name`,
  );
}

/**
 * The clone URL of a repository written as a git URL or as `owner/name` on GitHub, checked: https (http on loopback only),
 * ending in `.git` as BuildKit demands of http(s) contexts, no user, query, fragment or escapes.
 * @throws Error naming the value, less a password it may carry, and what is accepted.
 */
function gitUrl(value: string): string {
  const repository = parseRepository(value);
  if (repository?.kind === "git") return repository.url;
  if (repository) return `https://github.com/${repository.repository}.git`;
  const shown = value.replace(/\/\/[^/]*@/, "//***@");
  throw new Error(`${printable(shown, 200)} cannot be used as the source; accepted is ${acceptedRepository}`);
}
