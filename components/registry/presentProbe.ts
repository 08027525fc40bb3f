import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { PresentProbe } from "../model/probe";
import type { ImageManifest, Manifest } from "./manifest";
import { manifestKind } from "./manifest";

/** The questions about a manifest that only the registry can answer. */
export interface Questions {
  readonly exists: (digest: Digest) => Promise<boolean>;
  readonly platform: (image: ImageManifest) => Promise<Platform>;
  /** The platform of a child the index gives no known type for; undefined when it is no image. */
  readonly platformOf: (digest: Digest) => Promise<Platform | undefined>;
}

/**
 * Sorts what an index lists into platforms that exist, platforms whose manifest is lost, and other children that
 * exist. Where several children serve one platform the first that exists counts, as it does for whoever pulls.
 * @throws whatever a question throws: one child in doubt leaves the whole in doubt.
 */
export async function presentProbe(manifest: Manifest, questions: Questions): Promise<PresentProbe> {
  const { digest } = manifest;
  if (manifest.kind === "image") {
    return {
      state: "present",
      digest,
      platforms: { [await questions.platform(manifest)]: digest },
      lost: {},
      others: [],
    };
  }
  const platforms: Record<Platform, Digest> = {};
  const missing: [Platform, Digest][] = [];
  const others: Digest[] = [];
  const misdescribed: Record<Platform, Digest> = {};
  const found = await Promise.all(manifest.manifests.map((child) => questions.exists(child.digest)));
  for (const [position, child] of manifest.manifests.entries()) {
    const kind = manifestKind(child.mediaType);
    if (child.platform === undefined || kind !== "image") {
      if (!found[position]) continue;
      const platform = kind === undefined ? await questions.platformOf(child.digest) : undefined;
      if (platform === undefined) others.push(child.digest);
      else misdescribed[platform] ??= child.digest;
    } else if (found[position]) platforms[child.platform] ??= child.digest;
    else missing.push([child.platform, child.digest]);
  }
  const lost = Object.fromEntries(missing.filter(([platform]) => !Object.hasOwn(platforms, platform)));
  const odd = Object.entries(misdescribed).filter(([platform]) => !Object.hasOwn(platforms, platform));
  return {
    state: "present",
    digest,
    platforms,
    lost,
    others,
    ...(odd.length > 0 && { misdescribed: Object.fromEntries(odd) }),
  };
}
