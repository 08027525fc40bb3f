import { writesIndex } from "../decide/versionPlan";
import type { PlannedReferrers, PlannedVersion } from "../decide/appPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import { platformEntries } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import type { OfficialImage } from "./officialImage";
import type { PlanEdges } from "./planEdges";

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
