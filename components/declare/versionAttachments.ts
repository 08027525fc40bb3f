import * as pulumi from "@pulumi/pulumi";
import { Attestation } from "./attestation";
import { CopiedReferrers } from "./copiedReferrers";
import { reasonOf } from "../model/reasonOf";
import { settle } from "../engine/settled";
import type { VersionOutcome } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

/** What belongs to a published version beside its index: its attestations, and what upstream attached to what was copied. */
export class VersionAttachments {
  readonly #attestation: Attestation | undefined;
  readonly #referrers: CopiedReferrers | undefined;

  /**
   * Declares them, where there is anything to do about them or was before.
   * @param indexDigest of the version; undefined when it has no index and gets none.
   */
  constructor(
    name: string,
    { repository, planned, services }: MirroredVersionArgs,
    indexDigest: pulumi.Input<string> | undefined,
    parent: pulumi.Resource,
  ) {
    if (indexDigest === undefined) return;
    const { attestation, referrers } = planned;
    const { config, startedOn } = services.attest;
    if (attestation && attestation.mode !== "none") {
      const { mode, record } = attestation;
      this.#attestation = new Attestation(
        `${name}-attestation`,
        { repository, indexDigest, config, mode, startedOn, ...(record && { record }) },
        { parent },
      );
    }
    if (referrers && referrers.mode !== "none") {
      const { mode, from, digests } = referrers;
      this.#referrers = new CopiedReferrers(
        `${name}-referrers`,
        { to: repository, digests, indexDigest, mode, startedOn, ...(from !== undefined && { from }) },
        { parent },
      );
    }
  }

  /**
   * The version's outcome once all of them have ended too. A version that lacks some of them stays published, and is a failure.
   */
  async complete(outcome: VersionOutcome | Promise<VersionOutcome>): Promise<VersionOutcome> {
    const before = await outcome;
    if (!("record" in before) || !before.record || pulumi.runtime.isDryRun()) return before;
    // What waits for an index that is never written never ends.
    if (before.state === "failed") return before;
    const [attested, copied] = await Promise.all([
      this.#attestation && settle(this.#attestation.summary),
      this.#referrers && settle(this.#referrers.summary),
    ]);
    const why = (ended: NonNullable<typeof attested | typeof copied>): string =>
      ended.state === "failed" ? `: ${reasonOf(ended.error)}` : "";
    const record = {
      ...before.record,
      ...(attested?.state === "known" && { attested: true }),
      ...(copied?.state === "known" && { referrers: true }),
    };
    const reasons = [
      ...(attested && attested.state !== "known" ? [`it is published, but not fully attested${why(attested)}`] : []),
      ...(copied && copied.state !== "known"
        ? [`it is published, but without all that upstream attached to what was copied${why(copied)}`]
        : []),
    ];
    return reasons.length === 0 ? { ...before, record } : { state: "failed", reason: reasons.join("; "), record };
  }
}
