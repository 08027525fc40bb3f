/** Another upstream repository for an app: on GitHub, or anywhere as a git URL. */
export type RepositoryOverride =
  { readonly kind: "github"; readonly repository: string } | { readonly kind: "git"; readonly url: string };

/** What {@link parseRepository} takes, to complete "accepted is …". */
export const acceptedRepository =
  "owner/name on GitHub, or an https URL without credentials that ends in .git (http only to this machine)";

const gitHub = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9_.-]{1,100}$/;
const host = "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-f:]+\\]";
const gitUrl = new RegExp(`^(https?)://(${host})(?::([0-9]{1,5}))?(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+\\.git$`);
const loopback = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

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
  const [, scheme, server, port] = gitUrl.exec(value) ?? [];
  if (scheme === undefined || server === undefined || value.length > 2000) return undefined;
  if (scheme === "http" && !loopback.test(server)) return undefined;
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
