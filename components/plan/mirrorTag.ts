import type { AppSpecification } from "./appSpecification";
import type { Release } from "./release";

/** The tag grammar of the OCI distribution specification 1.1, "Pulling manifests". */
const ociTag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * The tag a release gets in the mirror: its version, or with `tagStyle: "upstream"` the upstream tag as it is written.
 * A branch always gives its commit: a branch name would be a version tag that moves.
 * @throws Error when the result is no valid image tag.
 */
export function mirrorTag(
  specification: Pick<AppSpecification, "tagStyle">,
  release: Pick<Release, "version" | "tag" | "reference">,
): string {
  const asUpstream = specification.tagStyle === "upstream" && release.reference === "tag";
  const tag = asUpstream ? release.tag : release.version;
  if (ociTag.test(tag)) return tag;
  throw new Error(
    `${JSON.stringify(tag)} cannot be an image tag; accepted are 1 to 128 of A-Z a-z 0-9 . _ -, not beginning with . or -`,
  );
}
