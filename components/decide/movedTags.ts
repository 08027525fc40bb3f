import type { Release } from "../model/release";

/** An upstream tag that names another commit than the one its version was published from. */
export interface MovedTag {
  readonly version: string;
  readonly tag: string;
  /** The commit the published image was built from. */
  readonly published: string;
  /** The commit the tag names now. */
  readonly now: string;
}

/**
 * Finds upstream tags that were moved after their version was published. Published images stay as they are; this is for a warning.
 * @param commits version → commit recorded when it was published; versions without a recorded commit are not judged.
 */
export function movedTags(
  releases: readonly Release[],
  commits: Readonly<Record<string, string | undefined>>,
): readonly MovedTag[] {
  return releases.flatMap(({ version, tag, commit }) => {
    const published = Object.hasOwn(commits, version) ? commits[version] : undefined;
    return published === undefined || published === commit ? [] : [{ version, tag, published, now: commit }];
  });
}
