import type { MirrorConfig } from "../config/mirrorConfig";
import type { BuildCache } from "./mirroredImage";
import { type Platform, platformSlug } from "../model/platform";

/**
 * The cache settings of one app's builds for one platform: each has its own corner, so that two never overwrite each other.
 * A cache that cannot be written never fails a build.
 */
export function buildCache(
  { cache, registry, namespace }: Pick<MirrorConfig, "cache" | "registry" | "namespace">,
  app: string,
  platform: Platform,
): BuildCache | undefined {
  const corner = `${app}-${platformSlug(platform)}`;
  switch (cache.type) {
    case "off":
      return undefined;
    case "gha":
      return {
        from: [{ gha: { scope: corner } }],
        to: [{ gha: { scope: corner, mode: cache.mode, ignoreError: true } }],
      };
    case "local": {
      const folder = `${cache.directory}/${corner}`;
      return {
        from: [{ local: { src: folder } }],
        to: [{ local: { dest: folder, mode: cache.mode, ignoreError: true } }],
      };
    }
    case "registry": {
      const ref = `${registry}/${cache.repository ?? `${namespace}/build-cache`}:${corner}`;
      const to = { ref, mode: cache.mode, ignoreError: true, imageManifest: true, ociMediaTypes: true };
      return { from: [{ registry: { ref } }], to: [{ registry: to }] };
    }
    default:
      return cache satisfies never;
  }
}
