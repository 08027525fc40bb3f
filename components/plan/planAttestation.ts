import { writesIndex } from "../decide/versionPlan";
import { attestationMode, describeMissing, type MissingAttestation } from "../decide/attestations";
import { versionBuildRecord } from "./versionBuildRecord";
import type { PlannedAttestation, PlannedVersion } from "../decide/appPlan";
import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import type { PresentProbe } from "../model/probe";
import { resolveSource } from "../model/source";
import { reasonOf } from "../model/reasonOf";
import type { AttestationProbe } from "../probe/attestationProbe";

/** One version that may need attestations. */
export interface AttestationRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  readonly repository: string;
  readonly planned: PlannedVersion;
  /** What the tag holds; undefined when it holds nothing, or nothing that is to be trusted. */
  readonly present?: PresentProbe;
}

/**
 * Decides what is done about a version's attestations. A version this mirror built is recognised by its record or, when the
 * state was lost, by the mirror's label on its image. Never rejects.
 */
export async function planAttestation(
  request: AttestationRequest,
  edges: AttestationProbe,
): Promise<PlannedAttestation | undefined> {
  const { repository, planned, present } = request;
  if (edges.config.signing.mode === "off") return undefined;
  const changes = writesIndex(planned.plan);
  const declaredBefore = planned.attested;
  if (changes) {
    const record = versionBuildRecord(sourceAsRead(request), planned, edges.run);
    return { mode: "fresh", gaps: [], ...(record && { record }) };
  }
  if (!present || planned.plan.state === "moved") return declaredBefore ? { mode: "keep", gaps: [] } : undefined;
  try {
    const status = await readStatus(request, present, edges);
    const mode = attestationMode({ changes, missing: status.missing, declaredBefore, ours: status.ours });
    if (mode === "none") return undefined;
    const known = status.commit === undefined ? planned : { ...planned, recordedCommit: status.commit };
    const record =
      mode === "repair" && status.built ? versionBuildRecord(sourceAsRead(request), known, edges.run) : undefined;
    const gaps = mode === "repair" ? status.missing.map(describeMissing) : [];
    return { mode, gaps, ...(record && { record }) };
  } catch (error) {
    const problem = `its attestations could not be looked up: ${reasonOf(error)}`;
    return { mode: declaredBefore ? "keep" : "none", gaps: [], problem: problem.replaceAll(`${repository}@`, "") };
  }
}

/** The app with the repository its sources really come from. */
function sourceAsRead({ specification, settings }: AttestationRequest): AppSpecification {
  return {
    ...specification,
    source: { kind: "gitTags", url: resolveSource(specification.source, settings.repository).url },
  };
}

interface AttestationFinding {
  readonly missing: readonly MissingAttestation[];
  /** The mirror is to attest it: it built it, or the stack says so. */
  readonly ours: boolean;
  /** The mirror built it. */
  readonly built: boolean;
  readonly commit?: string | undefined;
}

async function readStatus(
  { repository, planned }: AttestationRequest,
  present: PresentProbe,
  edges: AttestationProbe,
): Promise<AttestationFinding> {
  const version = { indexDigest: present.digest, platformDigests: present.platforms };
  const recorded = planned.managed !== undefined;
  const missing = await edges.missing(repository, version, true);
  if (missing.length === 0 || recorded) return { missing, ours: true, built: true };
  const [first] = Object.values(present.platforms);
  const commit = first && (await edges.builtFrom(repository, first));
  if (commit !== undefined) return { missing, ours: true, built: true, commit };
  const wanted = edges.config.adopted ? await edges.missing(repository, version, false) : [];
  return { missing: wanted, ours: edges.config.adopted, built: false };
}
