import type { Digest } from "../plan/digest";
import type { Probe } from "../plan/probe";

/** An entry of a referrers list. Registries without the referrers API have no annotations in it. */
export interface ListedManifest {
  readonly digest: Digest;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What reading attestations needs of a registry; `RegistryClient` has it. `referrers` and `manifest` reject when there is
 * no usable answer: "nothing there" is a real 404 only.
 */
export interface AttestationReader {
  /** The referrers of a digest, by the API or the fallback tag `sha256-<hex>`; none is an empty list. */
  referrers(repository: string, digest: Digest): Promise<readonly ListedManifest[]>;
  /** A manifest by reference; undefined when it is absent. */
  manifest(reference: string): Promise<{ readonly annotations: Readonly<Record<string, string>> } | undefined>;
  probe(reference: string, options: { readonly skipChildren: boolean }): Promise<Probe>;
}
