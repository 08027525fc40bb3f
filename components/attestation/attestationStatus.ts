import type { Digest } from "../plan/digest";
import type { Platform } from "../plan/platform";
import { type AttestationList, listAttestations } from "./attestationList";
import type { AttestationReader } from "./attestationReader";
import type { MissingAttestation } from "./missingAttestation";
import type { WantedAttestations } from "./wantedAttestations";

/** A published version, by digest. A version that is a single manifest has one platform with the same digest. */
export interface AttestedVersion {
  readonly indexDigest: Digest;
  readonly platformDigests: Readonly<Record<Platform, Digest>>;
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
  const platforms = Object.entries(version.platformDigests) as [Platform, Digest][];
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
