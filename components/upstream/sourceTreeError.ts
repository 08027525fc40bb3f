/**
 * Why upstream's files could not be read:
 * `input` a value that is not accepted, `git` the git command failed (network, host, no such commit),
 * `moved` the tag or branch is no longer at the commit, `content` a file that cannot be used.
 */
export type SourceTreeFault = "input" | "git" | "moved" | "content";

/** Upstream's files at a commit could not be read; never thrown for a file that simply is not there. */
export class SourceTreeError extends Error {
  override readonly name = "SourceTreeError";
  readonly fault: SourceTreeFault;

  constructor(fault: SourceTreeFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
