import { isDeepStrictEqual } from "node:util";
import { type AttestConfig, wantedAttestations } from "../config/attestConfig";
import type { PlannedAttestation, PlannedReferrers, PlannedVersion } from "../decide/appPlan";
import { attestationMode, describeMissing } from "../decide/attestationMode";
import { writesIndex } from "../decide/versionPlan";
import { composeVersionRecord } from "../decide/composeVersionRecord";
import type { AppSpecification } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import type { PresentProbe } from "../model/probe";
import { reasonOf } from "../model/reasonOf";
import type { VersionRecord } from "../model/versionRecord";
import { carriesSbom, missingAttestations } from "../probe/attachedAttestations";
import type { OfficialImage } from "./officialImage";
import { type HeldVersion, statementsExpected } from "./ownership";
import type { PlanEdges } from "./planEdges";

/** One version that may need attestations. */
export interface AttestationRequest {
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly config: AttestConfig;
  readonly planned: PlannedVersion;
  /** How the version came to be, as the state has it. */
  readonly stated?: VersionRecord;
  /** Undefined when the tag holds nothing. */
  readonly held?: HeldVersion;
}

/** Decides what is done about a version's attestations. Undefined: nothing is declared. */
export function planAttestation(request: AttestationRequest): PlannedAttestation | undefined {
  const { config, planned, held } = request;
  if (config.signing.mode === "off") return undefined;
  const { attested: declaredBefore, plan } = planned;
  if (writesIndex(plan)) return { mode: "fresh", gaps: [], scans: missingSboms(request) };
  const kept = declaredBefore ? ({ mode: "keep", gaps: [], scans: [] } as const) : undefined;
  if (!held || plan.state === "moved" || plan.state === "not ours") return kept;
  const { present, ownership } = held;
  const { lists, trouble } = ownership;
  if (!lists) return { ...(kept ?? nothing), ...(trouble !== undefined && { problem: trouble }) };
  const version = { indexDigest: present.digest, platformDigests: present.platforms };
  const record = recordAtHand(request, present);
  const expected = statementsExpected(lists, present.digest, Object.values(present.platforms));
  const wanted = wantedAttestations(config, {
    built: expected.built || (record?.builds ?? []).length > 0,
    recorded: expected.recorded || record !== undefined,
  });
  const missing = missingAttestations(request.repository, version, wanted, lists);
  const mode = attestationMode({ changes: false, missing, declaredBefore, ours: true });
  if (mode === "none") return undefined;
  if (mode !== "repair") return { mode, gaps: [], scans: [] };
  return { mode, gaps: missing.map(describeMissing), scans: missingSboms(request), ...(record && { record }) };
}

/** Platforms of what the tag names whose image does not carry its SBOM, signed by us, which the index is to carry as well. */
function missingSboms({ repository, config, held }: AttestationRequest): readonly Platform[] {
  const { lists } = held?.ownership ?? {};
  if (!config.sbom || !held || !lists) return [];
  return platformEntries(held.present.platforms).flatMap(([platform, digest]) =>
    carriesSbom(lists.get(digest), { repository, platform, digest }) ? [] : [platform],
  );
}

/** What nobody can restore of a version's statements, and what an operator may do about it. */
export function lostStatements(request: AttestationRequest): readonly string[] {
  const { config, planned, held } = request;
  if (!held || config.signing.mode === "off" || writesIndex(planned.plan)) return [];
  const { present, ownership } = held;
  const { lists, reason } = ownership;
  if (!lists || (reason !== undefined && !planned.adopting)) return [];
  const record = recordAtHand(request, present);
  const { lost } = statementsExpected(lists, present.digest, Object.values(present.platforms));
  return lost
    .filter((kind) => (kind === "mirror" ? record === undefined : config.provenance && !record?.builds.length))
    .map(
      (kind) =>
        `its ${kind === "mirror" ? "mirror record" : kind} is missing, and its images carry nothing it could be written from; ` +
        "it stays without, and npm run verify refuses it. To have it built and stated anew, delete its tag",
    );
}

const nothing = { mode: "none", gaps: [], scans: [] } as const;

/**
 * How a version came to be, as far as that is known without asking what is signed about its images: from the state, or from the build records
 * of a run that was killed, what is upstream's own and what others published. Undefined: nothing is.
 */
function recordAtHand(
  { repository, planned, stated }: AttestationRequest,
  { platforms: present }: PresentProbe,
): VersionRecord | undefined {
  const images = platformEntries(present);
  if (stated && isAbout(stated, present)) return stated;
  const { version, tag, upstream, copies, adopted } = planned;
  if (!upstream) return undefined;
  const records = images.flatMap(([platform, digest]) => {
    const record = planned.records[platform]?.record;
    return record?.image.digest === digest ? [record] : [];
  });
  const record = composeVersionRecord({ version, tag, repository, upstream, records, present, copies, adopted });
  const isTold = Object.values(record.platforms).some(({ origin, adopted: others }) => origin !== "kept" || others);
  return isTold ? record : undefined;
}

/** Whether a record is about these very images. */
function isAbout({ platforms, builds }: VersionRecord, present: PerPlatform<Digest>): boolean {
  return (
    isDeepStrictEqual(new Set(Object.keys(platforms)), new Set(Object.keys(present))) &&
    builds.every(({ platform, image }) => present[platform] === image.digest)
  );
}

/** One version some of whose manifests may be upstream's. */
export interface ReferrersRequest {
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly specification: AppSpecification;
  readonly planned: PlannedVersion;
  readonly official: OfficialImage;
  /** An earlier run declared that they are copied. */
  readonly declared: boolean;
}

/**
 * Decides what is done about what upstream attached to manifests that are copied, or were in an earlier run, as equal digests
 * show: the state may be lost. Never rejects.
 */
export async function planReferrers(
  { repository, specification, planned, official, declared }: ReferrersRequest,
  edges: Pick<PlanEdges, "missingReferrers" | "run">,
): Promise<PlannedReferrers | undefined> {
  const { copied, trouble } = official;
  const digests = copied ? [...new Set(copiedDigests(planned, copied))] : [];
  const kept = declared ? ({ mode: "keep", gaps: [], digests: [], declared } as const) : undefined;
  const asked = specification.official?.whenUpstreamHasPlatform === "copy" && edges.run.phase !== "build";
  if (!asked || planned.plan.state === "moved" || planned.plan.state === "not ours" || planned.plan.state === "unknown")
    return kept;
  if (trouble !== undefined && planned.plan.build.length === 0) return { ...(kept ?? none), problem: trouble };
  if (!copied || digests.length === 0) return kept;
  const about = { from: copied.repository, digests, declared };
  const changes = writesIndex(planned.plan);
  try {
    const gaps = await edges.missingReferrers({ from: copied.repository, to: repository, digests });
    if (gaps.length === 0) return kept;
    return { ...about, mode: changes ? "fresh" : "repair", gaps: gaps.map((gap) => `not copied: ${gap}`) };
  } catch (error) {
    // What is to be written anyway is looked at again once it is written.
    if (changes) return { ...about, mode: "fresh", gaps: [] };
    const problem = `what upstream attached to it could not be looked up: ${reasonOf(error)}`;
    return { ...(kept ?? none), problem };
  }
}

const none = { mode: "none", gaps: [], digests: [], declared: false } as const;

/** What of upstream's image is in this registry when the plan has been carried out. */
function copiedDigests(
  { plan, copies, copiedIndex }: PlannedVersion,
  { digest, platforms, repository }: NonNullable<OfficialImage["copied"]>,
): readonly Digest[] {
  const entries = platformEntries(platforms);
  const ours = entries.filter(
    ([platform, theirs]) =>
      plan.present?.platforms[platform] === theirs ||
      (plan.build.includes(platform) && copies[platform] === `${repository}@${theirs}`),
  );
  const whole = copiedIndex !== undefined || plan.present?.digest === digest;
  return [...(whole ? [digest] : []), ...ours.map(([, theirs]) => theirs)];
}
