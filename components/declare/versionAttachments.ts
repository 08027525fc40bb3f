import * as pulumi from "@pulumi/pulumi";
import { type CopyPlan, type CopySummary, copyPlanVariable } from "../attest/copyReferrers";
import type { AttestationMode } from "../decide/appPlan";
import { versionLabels } from "../decide/labels";
import { settle } from "../engine/settled";
import type { RecordedImage } from "../model/buildRecord";
import { type Digest, isDigest } from "../model/digest";
import { reasonOf } from "../model/reasonOf";
import type { VersionRecord } from "../model/versionRecord";
import { Attestation, launch } from "./attestation";
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
    const config = { ...services.attest.config, adopted: planned.adopting && planned.adopted.length > 0 };
    const { version, tag, known } = planned;
    const labels = versionLabels(specification, version);
    if (attestation && attestation.mode !== "none") {
      const { mode } = attestation;
      this.#attestation = new Attestation(
        `${name}-attestation`,
        {
          ...{ repository, version, tag, indexDigest, config, known, labels, mode, startedOn },
          ...(mode === "fresh" && planned.plan.present && { completed: planned.plan.present.digest }),
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

/** Arguments of {@link CopiedReferrers}. Nothing in them is secret: they end up in the state. */
export interface CopiedReferrersArgs {
  /** Upstream's repository, with its registry; undefined only for mode `keep`. */
  readonly from?: string;
  /** `ghcr.io/owner/app`. */
  readonly to: string;
  /** The manifests that were copied. */
  readonly digests: readonly Digest[];
  /** Digest of the version's index: a finished value, or what the Index resource gave. Nothing is copied before it is there. */
  readonly indexDigest: pulumi.Input<string>;
  readonly mode: Exclude<AttestationMode, "none">;
  /** When this run began, ISO 8601, UTC: makes a repair run again. */
  readonly startedOn: string;
}

/**
 * What upstream attached to the manifests a version was copied from: signatures, SBOMs, whatever its registry lists. A local
 * command copies what is missing, verified; nothing is ever removed or overwritten.
 */
export class CopiedReferrers extends pulumi.ComponentResource {
  /** What was copied, once all is there. Rejects when something is missing. */
  readonly summary: pulumi.Output<CopySummary>;

  constructor(name: string, args: CopiedReferrersArgs, options?: pulumi.ComponentResourceOptions) {
    super("multiarch-mirror:index:CopiedReferrers", name, {}, options);
    this.summary = launch(
      name,
      { create: "copy-referrers", environment: { [copyPlanVariable]: plan(args) } },
      { parent: this, mode: args.mode, limit: "30m" },
    );
    this.registerOutputs({ summary: this.summary });
  }
}

function plan({ from = "", to, digests, indexDigest, startedOn }: CopiedReferrersArgs): pulumi.Output<string> {
  return pulumi.output(indexDigest).apply((digest) => {
    if (isDigest(digest))
      return JSON.stringify({ from, to, digests: [...digests], indexDigest: digest, startedOn } satisfies CopyPlan);
    // After a refused push the provider gives the bare tag.
    throw new pulumi.RunError(`nothing is copied to ${to}: ${JSON.stringify(digest)} is not the digest of an index`);
  });
}
