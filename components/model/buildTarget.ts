import type { BuildTarget } from "./appSpecification";
import { type Platform, platformParts, unameMachine } from "./platform";
import type { Release } from "./release";

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
