import type { Digest } from "../model/digest";
import { type PerPlatform, platformEntries } from "../model/platform";
import type { VersionRecord } from "../model/versionRecord";
import type { AttestPlan } from "./attestPlan";
import type { AttestationKind } from "../model/attestationKind";
import { type AttestationList, listAttestations } from "../probe/attachedAttestations";
import type { Cosign } from "./cosign";
import { isSbomOf } from "../model/sbom";
import { wantedAttestations } from "../config/attestConfig";
import type { MissingAttestation } from "../decide/attestationMode";
import type { AttestationReader } from "../probe/attachedAttestations";
import type { ExpectedSigner } from "../model/signer";
import type { SignedStatement } from "../probe/bundle";

/** One attestation a version must carry. An SBOM names the platform it describes, on the index too. */
export type Requirement = MissingAttestation;

type Counts = Readonly<Record<AttestationKind, number>>;

/** How a version's digests stand. */
export interface AttestationState {
  /** Required, and not there with a valid signature of ours. */
  readonly absent: readonly Requirement[];
  /** What is listed by digest, whoever signed it. */
  readonly lists: ReadonlyMap<Digest, AttestationList>;
}

/** All a plan asks for, for the platforms the index has. @param record how the version came to be, where that is known. */
export function requirementsOf(
  plan: AttestPlan,
  platforms: PerPlatform<Digest>,
  record: VersionRecord | undefined,
): readonly Requirement[] {
  const recorded = record !== undefined;
  const wanted = wantedAttestations(plan.config, { recorded, built: recorded && record.builds.length > 0 });
  const entries = platformEntries(platforms);
  const onIndex = wanted.index.flatMap((kind): Requirement[] =>
    kind === "sbom"
      ? entries.map(([platform]) => ({ digest: plan.indexDigest, kind, platform }))
      : [{ digest: plan.indexDigest, kind }],
  );
  const onPlatforms = entries.flatMap(([platform, digest]) =>
    wanted.platform.map((kind) => ({ digest, kind, platform })),
  );
  const builds = wanted.index.includes("provenance") ? (record?.builds ?? []) : [];
  const ofBuilds = builds
    .filter(({ platform, image }) => platforms[platform] === image.digest)
    .map(({ platform, image }): Requirement => ({ digest: image.digest, kind: "provenance", platform }));
  return [...onIndex, ...onPlatforms, ...ofBuilds];
}

/** What looking rests on. */
export interface InspectEdges {
  readonly reader: AttestationReader;
  readonly cosign: Pick<Cosign, "verified" | "statements">;
  readonly signer: ExpectedSigner;
}

/**
 * Looks at what is attached and verifies it with cosign; where nothing of ours is attached, no process is started, and none for
 * digests of which cosign has verified all in this very run.
 * @throws when the registry or cosign gives no usable answer.
 */
export async function inspectAttestations(
  repository: string,
  required: readonly Requirement[],
  platforms: PerPlatform<Digest>,
  { reader, cosign, signer }: InspectEdges,
  verified: readonly Digest[],
): Promise<AttestationState> {
  const digests = [...new Set(required.map(({ digest }) => digest))];
  const inspected = await Promise.all(
    digests.map(async (digest) => {
      const wanted = required.filter((requirement) => requirement.digest === digest);
      const list = await listAttestations(reader, repository, digest, signer);
      const absent = verified.includes(digest)
        ? wanted.filter(({ kind }) => list.counts[kind] === 0)
        : await absentOf(wanted, list, repository, platforms, cosign);
      return { digest, list, absent };
    }),
  );
  return {
    absent: inspected.flatMap(({ absent }) => absent),
    lists: new Map(inspected.map(({ digest, list }) => [digest, list])),
  };
}

async function absentOf(
  wanted: readonly Requirement[],
  list: AttestationList,
  repository: string,
  platforms: PerPlatform<Digest>,
  cosign: Pick<Cosign, "verified" | "statements">,
): Promise<readonly Requirement[]> {
  const digest = wanted[0]?.digest;
  if (digest === undefined || wanted.every(({ kind }) => list.counts[kind] === 0)) return wanted;
  const reference = `${repository}@${digest}`;
  const verified = await verifiedCounts(reference, wanted, list, cosign);
  const sboms = verified.sbom > 0 ? await verifiedSboms(reference, list, verified, cosign) : [];
  return wanted.filter(({ kind, platform }) => {
    if (kind !== "sbom") return verified[kind] === 0;
    const image = platform && platforms[platform];
    return !image || !sboms.some(({ predicate }) => isSbomOf(predicate, { repository, digest: image, platform }));
  });
}

/** Where cosign has verified as many as read as ours, these are what was read; else it is asked which they are. */
async function verifiedSboms(
  reference: string,
  { counts, bundles }: AttestationList,
  verified: Counts,
  cosign: Pick<Cosign, "statements">,
): Promise<readonly Pick<SignedStatement, "predicate">[]> {
  if (verified.sbom !== counts.sbom) return cosign.statements(reference, "sbom");
  return bundles.flatMap(({ kind, statement }) => (kind === "sbom" && statement ? [statement] : []));
}

/** cosign skips a bundle it cannot fetch in silence; one that is listed and not verified is therefore asked for twice. */
async function verifiedCounts(
  reference: string,
  wanted: readonly Requirement[],
  list: AttestationList,
  cosign: Pick<Cosign, "verified">,
): Promise<Counts> {
  const first = await cosign.verified(reference);
  return wanted.every(({ kind }) => first[kind] > 0 || list.counts[kind] === 0) ? first : cosign.verified(reference);
}
