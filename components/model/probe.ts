import type { Digest } from "./digest";
import type { PerPlatform } from "./platform";

/** Why a registry answer could not be had. */
export type UnknownCause = "authorisation" | "rate-limited" | "outage" | "timeout" | "malformed" | "network";

/** A published index or manifest, as read by tag or digest. */
export interface PresentProbe {
  readonly state: "present";
  /** Digest of the index (or single manifest) the tag names. */
  readonly digest: Digest;
  /** Platform manifests that exist. A single-manifest tag has exactly one. Attestation manifests (`unknown/unknown`) are not listed. */
  readonly platforms: PerPlatform<Digest>;
  /** Platforms the index lists but whose manifest answers 404: they have to be built again. */
  readonly lost: PerPlatform<Digest>;
  /**
   * Platforms whose manifest exists but cannot be pulled by way of this index: it is inside an index inside the index, comes after
   * a lost one for the same platform, or is described as something that is no image (a connection cut while the index was
   * written made the writer ask for the manifest as a blob, and registries name no type for those).
   */
  readonly misdescribed?: PerPlatform<Digest>;
  /** Children of the index that are no platforms (attestations of other tools) and do exist. */
  readonly others: readonly Digest[];
  /** Manifests listed for a platform besides the one that counts. */
  readonly further?: readonly Digest[];
  /** Children that are no platforms and whose manifest answers 404. */
  readonly gone?: readonly Digest[];
  /** What an index written in this one's place would lose, in words: then it is not written. */
  readonly rewriteLoses?: readonly string[];
  /** It is a Docker manifest list: what is written in its place is an OCI index. */
  readonly dockerList?: true;
  /** What is odd about the index, in words. */
  readonly remarks?: readonly string[];
}

/** What the registry said about one reference. `absent` is a 404 with a registry's error body that is no refusal, and nothing else. */
export type Probe =
  | PresentProbe
  | { readonly state: "absent" }
  | { readonly state: "unknown"; readonly cause: UnknownCause; readonly reason: string };

/**
 * What an index holds besides one image for each platform, in words. Whoever signed its images has said nothing about it.
 * @param known manifests that may be in it, or the index itself.
 */
export function partsBesides(
  { digest, others, gone = [], further = [], rewriteLoses = [] }: PresentProbe,
  known: readonly Digest[],
): readonly string[] {
  if (known.includes(digest)) return [];
  return [...[...others, ...gone, ...further].filter((part) => !known.includes(part)), ...rewriteLoses];
}

/** What a tag holds. */
export interface TagHolding {
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
  /** As of a {@link PresentProbe}. */
  readonly rewriteLoses?: readonly string[];
}
