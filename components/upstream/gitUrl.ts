import { acceptedRepository, parseRepository } from "../config/repositoryOverride";
import { printable } from "./printable";

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
