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
