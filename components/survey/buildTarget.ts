import type { BuildTarget } from "../plan/appSpecification";
import { type Platform, platformParts, unameMachine } from "../plan/platform";
import type { Release } from "../plan/release";

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
