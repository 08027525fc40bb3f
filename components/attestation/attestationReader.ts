import type { Digest } from "../plan/digest";

/** An entry of a referrers list. Registries without the referrers API drop the annotations. */
export interface ReferrerDescriptor {
  readonly digest: Digest;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * What reading attestations needs of a registry. Every method rejects when there is no usable answer;
 * "nothing there" is a real 404 only.
 */
export interface AttestationReader {
  /** The referrers of a digest, by the API or the fallback tag `sha256-<hex>`; none is an empty list. */
  referrers(repository: string, digest: Digest): Promise<readonly ReferrerDescriptor[]>;
  /** A manifest or index as parsed JSON; undefined when it is absent. */
  manifest(repository: string, digest: Digest): Promise<unknown>;
}
