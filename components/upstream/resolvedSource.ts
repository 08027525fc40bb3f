import type { Source } from "../plan/appSpecification";
import { gitUrl } from "./gitUrl";
import { printable } from "./printable";

/** Where an app's versions and its git repository really are, after the stack's override; every part is checked. */
export type ResolvedSource =
  | { readonly kind: "githubReleases"; readonly repository: string; readonly url: string }
  | { readonly kind: "gitTags"; readonly url: string }
  | { readonly kind: "gitBranch"; readonly url: string; readonly branch: string };

const repositoryName = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
const githubUrl = /^https:\/\/github\.com\/([^/]+\/[^/]+)\.git$/;

/**
 * Applies the stack's `repository` override, a git URL or a GitHub `owner/name`, to an app's source, and checks the result.
 *
 * `owner/name`, or a URL on github.com, replaces both the releases and the git repository. Any other URL replaces only the
 * git repository: the release list stays the one of the app's own repository, read from wherever the `github` provider is pointed.
 * @throws Error naming the value and what is accepted. Nothing is requested.
 */
export function resolveSource(source: Source, override?: string): ResolvedSource {
  switch (source.kind) {
    case "githubReleases": {
      const replaced = override === undefined ? undefined : repositoryUrl(override);
      const repository = replaced?.match(githubUrl)?.[1] ?? source.repository;
      return {
        kind: "githubReleases",
        repository: checkedName(repository),
        url: replaced ?? githubAddress(repository),
      };
    }
    case "gitTags":
      return { kind: "gitTags", url: repositoryUrl(override ?? source.url) };
    case "gitBranch":
      return { kind: "gitBranch", url: repositoryUrl(override ?? source.url), branch: checkedBranch(source.branch) };
    default:
      return source satisfies never;
  }
}

function repositoryUrl(value: string): string {
  if (value.includes("://")) return gitUrl(value);
  return githubAddress(value);
}

function githubAddress(repository: string): string {
  return gitUrl(`https://github.com/${checkedName(repository)}.git`);
}

function checkedName(repository: string): string {
  if (repositoryName.test(repository) && !repository.endsWith(".git")) return repository;
  throw new Error(`${printable(repository, 200)} is no repository; accepted is "owner/name" on GitHub, or a git URL`);
}

/** Stricter than git-check-ref-format: no name that means something to git, a shell or a URL. */
function checkedBranch(branch: string): string {
  const usable = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(branch);
  if (usable && !/\.\.|\/\/|\/\.|[./]$|\.lock(\/|$)/.test(branch)) return branch;
  throw new Error(
    `${printable(branch, 200)} is no usable branch; accepted are letters, digits and . _ / - as git allows them in a branch name`,
  );
}
