import type { Digest } from "../plan/digest";
import { type AttestationKind, kindOf } from "./attestationKind";
import type { AttestationReader, ListedManifest } from "./attestationReader";

const bundle = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.[0-9]+\+json$/;
const annotation = "dev.sigstore.bundle.predicateType";

/** What is attached to one digest. */
export interface AttestationList {
  /** Entries of the list, whatever they are. */
  readonly entries: number;
  /** How many there are of each kind. */
  readonly counts: Readonly<Record<AttestationKind, number>>;
  /** Entries of a fallback tag whose manifest is gone. Some registries take no new list as long as one is in it. */
  readonly dangling: readonly Digest[];
}

/**
 * Lists the cosign bundles attached to a digest, by kind, without looking at signatures.
 *
 * cosign 3.1 stores each as a referrer of artifact type `application/vnd.dev.sigstore.bundle.v0.3+json`, whose *manifest*
 * carries the predicate type as an annotation. A registry with the referrers API copies it into the list: one request.
 * The fallback tag cosign keeps elsewhere has no annotations, and keeps entries of deleted manifests: one request more
 * per entry.
 * @throws when the registry gives no usable answer.
 */
export async function listAttestations(
  reader: AttestationReader,
  repository: string,
  digest: Digest,
): Promise<AttestationList> {
  const entries = await reader.referrers(repository, digest);
  const bundles = entries.filter(({ artifactType }) => bundle.test(artifactType ?? ""));
  const found = await Promise.all(bundles.map((entry) => predicateType(reader, repository, entry)));
  const counts = { signature: 0, sbom: 0, provenance: 0, mirror: 0 };
  for (const type of found) {
    const kind = kindOf(type);
    if (kind !== undefined) counts[kind]++;
  }
  const dangling = bundles.filter((_, position) => found[position] === undefined).map((entry) => entry.digest);
  return { entries: entries.length, counts, dangling };
}

/** Undefined: the manifest is gone. Empty: it names no predicate type. */
async function predicateType(
  reader: AttestationReader,
  repository: string,
  entry: ListedManifest,
): Promise<string | undefined> {
  const listed = entry.annotations[annotation];
  if (listed !== undefined) return listed;
  const manifest = await reader.manifest(`${repository}@${entry.digest}`);
  return manifest && (manifest.annotations[annotation] ?? "");
}
