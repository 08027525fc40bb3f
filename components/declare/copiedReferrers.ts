import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type Digest, isDigest } from "../model/digest";
import { type CopyPlan, copyPlanVariable } from "../attest/copyPlan";
import { checkout } from "../engine/checkout";
import type { CopySummary } from "../attest/copyReferrers";
import type { AttestationMode } from "../decide/appPlan";

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
    const copy = new command.local.Command(
      name,
      {
        interpreter: ["node", "components/attest/launch.cjs"],
        create: "copy-referrers",
        dir: checkout,
        environment: { [copyPlanVariable]: plan(args) },
      },
      {
        parent: this,
        // A changed input makes the command run again, as an update: no preview ever shows a delete or a replacement.
        ignoreChanges: args.mode === "keep" ? ["*"] : [],
        customTimeouts: { create: "30m", update: "30m" },
      },
    );
    this.summary = copy.stdout.apply((line) => JSON.parse(line) as CopySummary);
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
