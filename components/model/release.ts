import type { BuildTarget } from "./appSpecification";
import { type Platform, platformParts, unameMachine } from "./platform";

/** One upstream release the mirror may publish. */
export interface Release {
  /** What upstream calls the version, less prefix and suffix: `1.2.3`, `2026.07.2`, `4.6.2-r13`; for a `gitBranch` source the first eight hex digits of the commit. */
  readonly version: string;
  /** The upstream tag exactly as upstream wrote it, or for a `gitBranch` source the branch. Checked by the app's tag rule; still never put into a shell. */
  readonly tag: string;
  /** What the version is built from: a tag, the head of a branch, or a commit that only upstream's image or package names. */
  readonly reference: "tag" | "branch" | "commit";
  /** The repository's tag, where `tag` is that of an image or package and the repository has it under another name. */
  readonly gitTag?: string;
  /** The commit the tag pointed at when it was resolved (peeled, for annotated tags): 40 lower-case hex digits. */
  readonly commit: string;
  /** When upstream published the release, ISO 8601, where the source says so (release lists do, git tags do not). */
  readonly publishedAt?: string;
}

/** An upstream tag that was not taken, with the reason in a few words. The tag is hostile text: escape it before printing. */
export interface RejectedTag {
  readonly tag: string;
  readonly reason: string;
  /** What it is counted under, where the reason itself names another tag. */
  readonly kind?: string;
  /** The tag rule, not upstream, turned it away: it may be a version all the same. */
  readonly unread?: true;
}

/** What discovery learnt about an app: all acceptable releases, highest version first, and what was turned away. */
export interface Discovery {
  readonly releases: readonly Release[];
  readonly rejected: readonly RejectedTag[];
  /** What an operator should know although discovery succeeded, in our own words. */
  readonly warnings?: readonly string[];
}

/** The git reference a release is built from; of a commit without one the commit itself. */
export function gitReferenceOf({ tag, gitTag, reference, commit }: Release): {
  readonly kind: Release["reference"];
  readonly name: string;
} {
  return { kind: reference, name: reference === "commit" ? commit : (gitTag ?? tag) };
}

/** What the functions of an app file receive for one release and platform. */
export function buildTarget(release: Release, platform: Platform): BuildTarget {
  return {
    version: release.version,
    tag: release.tag,
    commit: release.commit,
    platform,
    architecture: platformParts(platform).architecture,
    machine: unameMachine(platform),
  };
}
