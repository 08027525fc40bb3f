import type { Source } from "./appSpecification";
import { formatReference, isLoopback, parseReference } from "./reference";
import { printable } from "./safeText";

/** Another upstream repository for an app: on GitHub, or anywhere as a git URL. */
export type RepositoryOverride =
  { readonly kind: "github"; readonly repository: string } | { readonly kind: "git"; readonly url: string };

/** What {@link parseRepository} takes, to complete "accepted is …". */
export const acceptedRepository =
  "owner/name on GitHub, or an https URL without credentials that ends in .git (http only to this machine)";

const gitHub = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9_.-]{1,100}$/;
const host = "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-f:]+\\]";
const overrideUrl = new RegExp(`^(https?)://(${host})(?::([0-9]{1,5}))?(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+\\.git$`);

/**
 * Reads a repository as the stack configuration writes it, or answers undefined.
 * The URL's grammar is narrow on purpose: it ends up as a git argument and in a build context, so no credentials, query,
 * fragment, escapes, dot segments, or a segment that could be taken for an option.
 */
export function parseRepository(value: string): RepositoryOverride | undefined {
  if (gitHub.test(value)) {
    const name = value.slice(value.indexOf("/") + 1);
    return /^\.+$|^-|\.git$/.test(name) ? undefined : { kind: "github", repository: value };
  }
  const [, scheme, server, port] = overrideUrl.exec(value) ?? [];
  if (scheme === undefined || server === undefined || value.length > 2000) return undefined;
  if (scheme === "http" && !isLoopback(server)) return undefined;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) return undefined;
  return URL.canParse(value) ? { kind: "git", url: value } : undefined;
}

/** What {@link isRepositoryPath} takes, to complete "accepted is …". */
export const acceptedRepositoryPath =
  'a relative path without "..", "//", backslashes, control characters or a leading "-"';

/** Whether a text names a file or folder within a repository, and nothing else, on any system. */
export function isRepositoryPath(path: string): boolean {
  const parts = path.split("/");
  return (
    path.length <= 1024 && !/^-|[\x00-\x1f\x7f\\]/.test(path) && !parts.some((part) => ["", ".", ".."].includes(part))
  );
}

/** Where an app's versions and its git repository really are, after the stack's override; every part is checked. */
export type ResolvedSource =
  | { readonly kind: "githubReleases"; readonly repository: string; readonly url: string }
  /** `list`: address of the release list, without a query. */
  | { readonly kind: "gitlabReleases" | "giteaReleases"; readonly url: string; readonly list: string }
  | { readonly kind: "gitTags"; readonly url: string }
  | { readonly kind: "gitBranch"; readonly url: string; readonly branch: string }
  | { readonly kind: "registryTags"; readonly url: string; readonly image: string }
  /** `address`: where the package's versions are listed. */
  | { readonly kind: "npm" | "pypi"; readonly url: string; readonly package: string; readonly address: string };

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
    case "gitlabReleases":
    case "giteaReleases": {
      const url = replaced ?? gitUrl(source.url);
      return { kind: source.kind, url, list: releaseList(source.kind, url) };
    }
    case "gitTags":
      return { kind: "gitTags", url: replaced ?? gitUrl(source.url) };
    case "gitBranch":
      return { kind: "gitBranch", url: replaced ?? gitUrl(source.url), branch: checkedBranch(source.branch) };
    case "registryTags":
      return { kind: "registryTags", url: replaced ?? gitUrl(source.url), image: checkedImage(source.image) };
    case "npm":
    case "pypi":
      return {
        kind: source.kind,
        url: replaced ?? gitUrl(source.url),
        package: source.package,
        address: packageAddress(source),
      };
    default:
      return source satisfies never;
  }
}

/**
 * Where a forge's REST API lists the releases of a repository.
 * Source: GitLab's "Releases API", Gitea's "repoListReleases". A forge below a path of its host cannot be told from a group of that name.
 */
function releaseList(kind: "gitlabReleases" | "giteaReleases", url: string): string {
  const { origin, pathname } = new URL(url);
  const path = pathname.slice(1, -".git".length);
  if (onGithub.test(url)) throw new Error(`${printable(url, 200)} is on GitHub; accepted is a repository of the forge`);
  if (kind === "gitlabReleases") return `${origin}/api/v4/projects/${encodeURIComponent(path)}/releases`;
  if (/^[^/]+\/[^/]+$/.test(path)) return `${origin}/api/v1/repos/${path}/releases`;
  throw new Error(
    `${printable(url, 200)} is not a repository on Gitea or Forgejo; accepted is https://HOST/OWNER/NAME.git`,
  );
}

function checkedImage(image: string): string {
  const { tag, digest, ...name } = parseReference(image);
  if (tag === undefined && digest === undefined) return formatReference(name);
  throw new Error(`${printable(image, 200)} is a single image; accepted is a repository without tag and digest`);
}

const packageNames = {
  npm: /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/,
  pypi: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
} as const;

function packageAddress({ kind, registry, package: name }: Extract<Source, { kind: "npm" | "pypi" }>): string {
  if (!packageNames[kind].test(name) || name.length > 214)
    throw new Error(`${printable(name, 200)} is not the name of a package; accepted is one as ${kind} allows`);
  const url = URL.canParse(registry) && /^[\x21-\x7e]+$/.test(registry) ? new URL(registry) : undefined;
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !secure || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new Error(
      `${printable(registry.replace(/\/\/[^/]*@/, "//***@"), 200)} is not a package registry; accepted is an https address without user, password and query (http on loopback only)`,
    );
  const base = url.href.replace(/\/+$/, "");
  // PEP 503: names that differ in case and in runs of - _ . are one.
  return kind === "pypi"
    ? `${base}/${name.toLowerCase().replace(/[-_.]+/g, "-")}/`
    : `${base}/${name.replace("/", "%2f")}`;
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
export function gitUrl(value: string): string {
  const repository = parseRepository(value);
  if (repository?.kind === "git") return repository.url;
  if (repository) return `https://github.com/${repository.repository}.git`;
  const shown = value.replace(/\/\/[^/]*@/, "//***@");
  throw new Error(`${printable(shown, 200)} cannot be used as the source; accepted is ${acceptedRepository}`);
}
