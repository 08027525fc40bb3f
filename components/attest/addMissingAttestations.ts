import { describeMissing } from "../decide/attestationMode";
import type { AttestationKind } from "../model/attestationKind";
import type { Digest } from "../model/digest";
import type { PerPlatform } from "../model/platform";
import type { ExpectedSigner } from "../model/signer";
import { type AttestationReader, listAttestations } from "../probe/attachedAttestations";
import { type AttestationState, type Requirement, inspectAttestations } from "./inspectAttestations";
import type { AttestationWriter, Attached } from "./attestationWriter";
import type { Cosign } from "./cosign";

/** What attesting rests on. */
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

/** What is to be there at the end. */
export interface AttestTask {
  readonly repository: string;
  readonly platforms: PerPlatform<Digest>;
  readonly required: readonly Requirement[];
  /** Digests of which all that was to be there has been verified in this very run. */
  readonly sealed?: readonly Digest[];
  /** Kinds whose lack is told and is no failure. */
  readonly optional?: readonly AttestationKind[];
}

/** How it ended. */
export interface Completion {
  /** What was missing and has been added, in words. */
  readonly added: readonly string[];
  /** What of the optional kinds is still missing, and why. */
  readonly lacking?: string;
}

const mostTries = 3;
const pauseMs = 1000;

/**
 * Completes attestations: verifies what is there, makes what is absent, verifies all again. What another writer's list made
 * disappear is written again, and what failed is tried again, one thing alone at first, as the service may be dead; only tries
 * that got no further count, and three in a row end it. That they are missing, `plan/planAttestation.ts` found; an
 * SBOM among them has been made by then, by `declare/recordedImage.ts`.
 * @throws Error saying what is missing and why, when it is not complete at the end.
 */
export async function addMissingAttestations(task: AttestTask, edges: AttestEdges): Promise<Completion> {
  const { repository, platforms, required, sealed = [], optional = [] } = task;
  // A digest of which all has been verified is not written to, and not looked at again.
  let open = required;
  const inspect = async (verified: readonly Digest[] = []): Promise<AttestationState> => {
    const state = await inspectAttestations(repository, open, platforms, edges, verified);
    open = open.filter(({ digest }) => state.absent.some((one) => one.digest === digest));
    return state;
  };
  let state = await inspect(sealed);
  const added = state.absent.map(describeMissing);
  const refusal = state.absent.length > 0 ? edges.cannotSign() : undefined;
  if (refusal !== undefined) throw new Error(`${added.join(", ")}: ${refusal}`);
  const end = (told: string, cause?: Error): Completion => {
    if (state.absent.every(({ kind }) => optional.includes(kind))) return { added, lacking: told };
    throw new Error(told, { cause });
  };
  let cause: Error | undefined;
  for (let tries = 0; state.absent.length > 0;) {
    const before = tries === 0 ? state : { ...state, absent: state.absent.slice(0, 1) };
    const { length } = state.absent;
    const { failures, overtaken, pending } = await edges.writer.write(before, platforms);
    state = await inspect();
    for (let looks = 1; failures.length === 0 && !overtaken && isUnlisted(before, state, pending); looks++) {
      if (looks > mostTries) return end(unlisted(repository, state));
      await edges.sleep(pauseMs * looks);
      state = await inspect();
    }
    if (state.absent.length === 0) break;
    if (state.absent.length < length) tries = 0;
    else if (failures.length > 0 || !overtaken) tries++;
    const lacking = state.absent.map(describeMissing).join(", ");
    if (failures.length === 0 && !overtaken && grewEverywhere(before, state)) {
      throw new Error(
        `${lacking}: it was written, but does not verify: ${whyNot(repository, before, state, edges.cosign)}`,
      );
    }
    cause = edges.deadline.aborted ? (cause ?? failures[0]) : failures[0];
    const reason = cause?.message ?? "what was written was lost to another writer";
    const over = edges.deadline.aborted
      ? "and time is up"
      : tries === mostTries
        ? `after ${mostTries} tries`
        : undefined;
    if (over !== undefined) return end(`${lacking}, ${over}: ${reason}`, cause);
    await edges.sleep(pauseMs * (tries + 1));
  }
  return { added };
}

/**
 * Whether the registry does not list what was written, as far as nobody else can have taken it out of a list: nothing at all is listed,
 * or the registry makes the list itself. Written again, it would be there twice.
 */
function isUnlisted(before: AttestationState, after: AttestationState, pending: readonly Attached[]): boolean {
  const listsNothing =
    stillAbsent(before, after).length === before.absent.length &&
    before.absent.every(({ digest }) => after.lists.get(digest)?.entries.length === 0);
  const open = new Set(after.absent.map(({ digest }) => digest));
  const isPending = ({ subject, digest }: Attached): boolean =>
    open.has(subject) && !after.lists.get(subject)?.entries.includes(digest);
  return listsNothing || pending.some(isPending);
}

/** What was to be written and is as absent as before. */
function stillAbsent(before: AttestationState, after: AttestationState): readonly Requirement[] {
  return before.absent.filter((one) =>
    after.absent.some(
      ({ digest, kind, platform }) => digest === one.digest && kind === one.kind && platform === one.platform,
    ),
  );
}

function unlisted(repository: string, { absent }: AttestationState): string {
  const lacking = absent.map(describeMissing).join(", ");
  return `${lacking}: it was written, but the registry of ${repository} does not list it`;
}

/** Whether the lists say that all was in fact written of the kinds of which something that was to be written is still absent. */
function grewEverywhere(before: AttestationState, after: AttestationState): boolean {
  const count = (state: AttestationState, { digest, kind }: Requirement): number =>
    state.lists.get(digest)?.bundles.filter((bundle) => bundle.kind === kind).length ?? 0;
  const wanted = ({ digest, kind }: Requirement): number =>
    before.absent.filter((requirement) => requirement.digest === digest && requirement.kind === kind).length;
  const still = stillAbsent(before, after);
  return still.length > 0 && still.every((one) => count(after, one) - count(before, one) >= wanted(one));
}

/** What a bundle that was just written of an absent kind says of itself, and cosign of it. Lists may be in any order. */
function whyNot(
  repository: string,
  before: AttestationState,
  { absent, lists }: AttestationState,
  cosign: Pick<Cosign, "refusal">,
): string {
  const bundles = absent.flatMap(({ digest, kind }) => {
    const known = before.lists.get(digest)?.bundles.map((bundle) => bundle.digest) ?? [];
    const listed = lists.get(digest)?.bundles ?? [];
    return listed.filter((bundle) => bundle.kind === kind && !known.includes(bundle.digest));
  });
  const problem = bundles.find((bundle) => bundle.problem !== undefined)?.problem;
  const [refusal] = absent.flatMap(({ digest }) => cosign.refusal(`${repository}@${digest}`) ?? []);
  const reasons = [problem, refusal].filter((reason) => reason !== undefined);
  return reasons.length > 0 ? reasons.join("; cosign: ") : "cosign gave no reason";
}

/**
 * Whether a digest carries a valid signature of ours, under a statement of any kind: cosign says so. Where nothing attached to it
 * even claims to be ours no process is started.
 * @throws when the registry or cosign gives no usable answer.
 */
export async function isSigned(
  repository: string,
  digest: Digest,
  { reader, signer, cosign }: Pick<AttestEdges, "reader" | "signer" | "cosign">,
): Promise<boolean> {
  const { counts } = await listAttestations(reader, repository, digest, signer);
  if (Object.values(counts).every((count) => count === 0)) return false;
  return Object.values(await cosign.verified(`${repository}@${digest}`)).some((count) => count > 0);
}
