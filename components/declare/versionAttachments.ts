import * as pulumi from "@pulumi/pulumi";
import { Attestation } from "./attestation";
import { CopiedReferrers } from "./copiedReferrers";
import type { RecordedImage } from "../model/buildRecord";
import type { VersionRecord } from "../model/versionRecord";
import { reasonOf } from "../model/reasonOf";
import { versionLabels } from "../decide/labels";
import { settle } from "../engine/settled";
import type { VersionOutcome } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

/** The index that things are attached to. */
export interface AttachedIndex {
  /** Undefined when the version has no index and gets none. */
  readonly digest?: pulumi.Input<string>;
  /** The images made for it in this run or handed over to it. */
  readonly images?: pulumi.Input<readonly RecordedImage[]>;
  /** How the version came to be, where that is known. */
  readonly record?: pulumi.Input<VersionRecord | undefined>;
}

/** What belongs to a published version beside its index: its attestations, and what upstream attached to what was copied. */
export class VersionAttachments {
  readonly #attestation: Attestation | undefined;
  readonly #referrers: CopiedReferrers | undefined;

  /**
   * Declares them, where there is anything to do about them or was before.
   */
  constructor(
    name: string,
    { specification, repository, planned, services }: MirroredVersionArgs,
    { digest: indexDigest, images, record }: AttachedIndex,
    parent: pulumi.Resource,
  ) {
    if (indexDigest === undefined) return;
    const { attestation, referrers } = planned;
    const { startedOn } = services.attest;
    const config = { ...services.attest.config, adopted: planned.adopted.length > 0 };
    const { version, tag, known } = planned;
    const labels = versionLabels(specification, version);
    if (attestation && attestation.mode !== "none") {
      const { mode } = attestation;
      this.#attestation = new Attestation(
        `${name}-attestation`,
        {
          ...{ repository, version, tag, indexDigest, config, known, labels, mode, startedOn },
          ...(record && { record }),
          ...(images && { images }),
        },
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
   * The version's outcome once all of them have ended too. A version that lacks some of them stays published, and is a failure; no floating tag names one that is not signed.
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
    if (reasons.length === 0) return { ...before, record };
    const unsigned = attested && attested.state !== "known";
    return { state: "failed", reason: reasons.join("; "), record, ...(unsigned && { incomplete: true }) };
  }
}
