import type { Digest } from "../model/digest";
import type { PerPlatform } from "../model/platform";
import type { AttestPlan } from "./attestPlan";
import { type AttestationState, inspectAttestations, type Requirement, requirementsOf } from "./attestationState";
import type { AttestationWriter } from "./attestationWriter";
import type { Cosign } from "./cosign";
import { describeMissing } from "../decide/attestations";
import type { AttestationReader } from "../probe/attestations";
import type { ExpectedSigner } from "../model/signer";

/** What attesting a version rests on. */
export interface AttestEdges {
  readonly reader: AttestationReader;
  readonly signer: ExpectedSigner;
  readonly cosign: Pick<Cosign, "verified" | "statements" | "refusal">;
  readonly writer: Pick<AttestationWriter, "write">;
  /** Why nothing can be signed here; undefined when it can. */
  readonly cannotSign: () => string | undefined;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborted when time is up. */
  readonly deadline: AbortSignal;
}

/** What was done. */
export interface AttestSummary {
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
  /** What was missing and has been added, in words. */
  readonly added: readonly string[];
}

const mostTries = 3;
const pauseMs = 1000;

/**
 * Completes the attestations of one version: verifies what is there, makes what is absent, verifies all again.
 * What another writer's list made disappear is written again, and what failed is tried again, a few times.
 * @throws Error saying what is missing and why, when it is not complete at the end.
 */
export async function attestVersion(plan: AttestPlan, edges: AttestEdges): Promise<AttestSummary> {
  const platforms = await platformsOf(plan, edges.reader);
  const required = requirementsOf(plan, platforms);
  const inspect = (): Promise<AttestationState> => inspectAttestations(plan.repository, required, platforms, edges);
  let state = await inspect();
  const added = state.absent.map(describeMissing);
  const refusal = state.absent.length > 0 ? edges.cannotSign() : undefined;
  if (refusal !== undefined) throw new Error(`${added.join(", ")}: ${refusal}`);
  let cause: Error | undefined;
  for (let tries = 0; state.absent.length > 0;) {
    const before = state;
    const { failures, overtaken } = await edges.writer.write(before, platforms);
    state = await inspect();
    if (state.absent.length === 0) break;
    if (failures.length > 0 || !overtaken) tries++;
    const lacking = state.absent.map(describeMissing).join(", ");
    if (failures.length === 0 && !overtaken && grewEverywhere(before, state)) {
      throw new Error(
        `${lacking}: it was written, but does not verify: ${whyNot(plan.repository, state, edges.cosign)}`,
      );
    }
    cause = edges.deadline.aborted ? (cause ?? failures[0]) : failures[0];
    const reason = cause?.message ?? "what was written was lost to another writer";
    if (tries === mostTries) throw new Error(`${lacking}, after ${mostTries} tries: ${reason}`, { cause });
    if (edges.deadline.aborted) throw new Error(`${lacking}, and time is up: ${reason}`, { cause });
    await edges.sleep(pauseMs * (tries + 1));
  }
  return { digest: plan.indexDigest, platforms, added };
}

/** Whether the lists say that all that is still absent was in fact written. */
function grewEverywhere(before: AttestationState, after: AttestationState): boolean {
  const count = (state: AttestationState, { digest, kind }: Requirement): number =>
    state.lists.get(digest)?.bundles.filter((bundle) => bundle.kind === kind).length ?? 0;
  return after.absent.every((requirement) => count(after, requirement) > count(before, requirement));
}

/** What the last bundle written of an absent kind says of itself, and cosign of it. */
function whyNot(repository: string, { absent, lists }: AttestationState, cosign: Pick<Cosign, "refusal">): string {
  const bundles = absent.flatMap(({ digest, kind }) =>
    (lists.get(digest)?.bundles ?? []).filter((bundle) => bundle.kind === kind),
  );
  const problem = bundles.findLast((bundle) => bundle.problem !== undefined)?.problem;
  const [refusal] = absent.flatMap(({ digest }) => cosign.refusal(`${repository}@${digest}`) ?? []);
  const reasons = [problem, refusal].filter((reason) => reason !== undefined);
  return reasons.length > 0 ? reasons.join("; cosign: ") : "cosign gave no reason";
}

/** The platform manifests, as the registry has them; attestations of other tools in the index are left alone. */
async function platformsOf(
  { repository, indexDigest, record }: AttestPlan,
  reader: AttestationReader,
): Promise<PerPlatform<Digest>> {
  const reference = `${repository}@${indexDigest}`;
  const probe = await reader.probe(reference, { skipChildren: true });
  if (probe.state === "unknown")
    throw new Error(`the registry gave no usable answer about ${reference}: ${probe.reason}`);
  if (probe.state === "absent") throw new Error(`${reference} is not in the registry, so it cannot be signed`);
  const { platforms } = probe;
  if (Object.keys(platforms).length === 0) throw new Error(`${reference} lists no platform; accepted is an image`);
  const lacking = Object.keys(record?.platforms ?? {}).filter((platform) => !(platform in platforms));
  if (lacking.length > 0) throw new Error(`${reference} has no ${lacking.join(", ")}, which were said to be in it`);
  return platforms;
}
