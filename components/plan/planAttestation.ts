import type { AttestConfig } from "../config/attestConfig";
import { wantedAttestations } from "../config/attestConfig";
import { attestationMode, describeMissing } from "../decide/attestations";
import type { PlannedAttestation, PlannedVersion } from "../decide/appPlan";
import { versionRecord } from "../decide/versionRecord";
import { writesIndex } from "../decide/versionPlan";
import type { PresentProbe } from "../model/probe";
import { missingAttestations } from "../probe/attestations";
import { type Ownership, statementsExpected } from "./ownership";

/** One version that may need attestations. */
export interface AttestationRequest {
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly config: AttestConfig;
  readonly planned: PlannedVersion;
  /** What the tag holds, and whose that is; undefined when it holds nothing. */
  readonly held?: { readonly present: PresentProbe; readonly ownership: Ownership };
}

/** Decides what is done about a version's attestations. Undefined: nothing is declared. */
export function planAttestation({
  repository,
  config,
  planned,
  held,
}: AttestationRequest): PlannedAttestation | undefined {
  if (config.signing.mode === "off") return undefined;
  const { attested: declaredBefore, plan } = planned;
  if (writesIndex(plan)) return { mode: "fresh", gaps: [], scans: [] };
  const kept = declaredBefore ? ({ mode: "keep", gaps: [], scans: [] } as const) : undefined;
  if (!held || plan.state === "moved" || plan.state === "not ours") return kept;
  const { present, ownership } = held;
  const { lists, trouble } = ownership;
  if (!lists) return { ...(kept ?? nothing), ...(trouble !== undefined && { problem: trouble }) };
  const version = { indexDigest: present.digest, platformDigests: present.platforms };
  const expected = statementsExpected(lists, present.digest, Object.values(present.platforms));
  const isAdopted = planned.adopted.length > 0;
  const mayRestore = declaredBefore && expected.lost.length === 0;
  const wanted = wantedAttestations(config, {
    built: expected.built || (mayRestore && !expected.recorded && !isAdopted),
    recorded: expected.recorded || mayRestore || (isAdopted && planned.upstream !== undefined),
  });
  const missing = missingAttestations(version, wanted, lists);
  const mode = attestationMode({ changes: false, missing, declaredBefore, ours: true });
  if (mode === "none") return undefined;
  if (mode !== "repair") return { mode, gaps: [], scans: [] };
  const record = isAdopted ? adoptedRecord(repository, planned, present) : undefined;
  const scans = missing.flatMap(({ kind, platform }) => (kind === "sbom" && platform !== undefined ? [platform] : []));
  return { mode, gaps: missing.map(describeMissing), scans, ...(record && { record }) };
}

/** What nobody can restore of a version's statements, and what an operator may do about it. */
export function lostStatements(
  config: AttestConfig,
  { present, ownership }: NonNullable<AttestationRequest["held"]>,
): readonly string[] {
  const { lists, reason } = ownership;
  if (!lists || reason !== undefined || config.signing.mode === "off") return [];
  const { lost } = statementsExpected(lists, present.digest, Object.values(present.platforms));
  return lost
    .filter((kind) => kind === "mirror" || config.provenance)
    .map(
      (kind) =>
        `its ${kind === "mirror" ? "mirror record" : kind} is gone, and its images carry nothing it could be written from again; ` +
        "it stays without, and npm run verify refuses it. To have it built and stated anew, delete its tag",
    );
}

const nothing = { mode: "none", gaps: [], scans: [] } as const;

/** All that can be said of a version others published. */
function adoptedRecord(repository: string, planned: PlannedVersion, { platforms }: PresentProbe) {
  const { version, tag, upstream, adopted } = planned;
  return upstream && versionRecord({ version, tag, repository, upstream, records: [], present: platforms, adopted });
}
