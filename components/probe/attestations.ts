import type { Digest } from "../model/digest";
import { type AttestationKind, kindOf } from "../model/attestationKind";
import type { Probe } from "../model/probe";
import { type PerPlatform, platformEntries } from "../model/platform";
import type { WantedAttestations } from "../config/attestConfig";
import type { MissingAttestation } from "../decide/attestations";

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

/** A published version, by digest. A version that is a single manifest has one platform with the same digest. */
export interface AttestedVersion {
  readonly indexDigest: Digest;
  readonly platformDigests: PerPlatform<Digest>;
}

/**
 * What a published version lacks, by reading referrers lists only: no process, no cryptography, no write. Made for
 * previews. The index must carry an SBOM for each platform; which of them is missing there is found out when it is
 * attested.
 * @throws when the registry gives no usable answer: that is not "missing".
 */
export async function attestationStatus(
  reader: AttestationReader,
  repository: string,
  version: AttestedVersion,
  wanted: WantedAttestations,
): Promise<readonly MissingAttestation[]> {
  if (wanted.index.length === 0 && wanted.platform.length === 0) return [];
  const { indexDigest } = version;
  const platforms = platformEntries(version.platformDigests);
  const digests = [...new Set([indexDigest, ...platforms.map(([, digest]) => digest)])];
  const lists = new Map<Digest, AttestationList>();
  await Promise.all(
    digests.map(async (digest) => lists.set(digest, await listAttestations(reader, repository, digest))),
  );
  const count = (digest: Digest, kind: MissingAttestation["kind"]): number => lists.get(digest)?.counts[kind] ?? 0;
  const onPlatforms = platforms.flatMap(([platform, digest]) =>
    digest === indexDigest
      ? []
      : wanted.platform.filter((kind) => count(digest, kind) === 0).map((kind) => ({ digest, kind, platform })),
  );
  const onIndex = wanted.index
    .filter((kind) => count(indexDigest, kind) < (kind === "sbom" ? platforms.length : 1))
    .map((kind) => ({ digest: indexDigest, kind }));
  return [...onIndex, ...onPlatforms];
}
