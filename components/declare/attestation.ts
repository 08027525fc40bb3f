import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { AttestConfig } from "../config/attestConfig";
import type { AttestSummary } from "../attest/attestVersion";
import type { RecordedImage } from "../model/buildRecord";
import { checkout } from "../engine/checkout";
import type { VersionRecord } from "../model/versionRecord";
import { type AttestPlanInput, planVariable } from "../attest/attestPlan";
import { type Digest, isDigest } from "../model/digest";
import type { AttestationMode } from "../decide/appPlan";

/** Arguments of {@link Attestation}. Nothing in them is secret: they end up in the state. */
export interface AttestationArgs {
  /** With the registry: `ghcr.io/owner/app`. */
  readonly repository: string;
  /** Digest of the version's index: a finished value, or what the Index resource gave. */
  readonly indexDigest: pulumi.Input<string>;
  /** The version, and its tag in the mirror. */
  readonly version: string;
  readonly tag: string;
  readonly config: AttestConfig;
  /** Manifests this stack's state says it built. */
  readonly known: readonly Digest[];
  /** The index it is completed from. */
  readonly completed?: Digest;
  /** What every image built for the version has among its labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: Exclude<AttestationMode, "none">;
  /** How the version came to be; undefined: its images say so. */
  readonly record?: pulumi.Input<VersionRecord | undefined>;
  /** The images made for it in this run or handed over to it, whose SBOMs are to be attested. */
  readonly images?: pulumi.Input<readonly RecordedImage[]>;
  /** When this run began, ISO 8601, UTC: makes a repair run again, whatever the last one was about. */
  readonly startedOn: string;
}

/**
 * Signature, SBOMs, provenance and mirror record of one published version. A local command makes what is missing and
 * verifies everything; nothing is ever removed, and a run that finds all there writes nothing.
 */
export class Attestation extends pulumi.ComponentResource {
  /** What the version carries and what was added, once verified. Rejects when it is not fully attested. */
  readonly summary: pulumi.Output<AttestSummary>;

  constructor(name: string, args: AttestationArgs, options?: pulumi.ComponentResourceOptions) {
    super("multiarch-mirror:index:Attestation", name, {}, options);
    const { mode, record } = args;
    const stdin = pulumi.output(record).apply((known) => (known === undefined ? "" : JSON.stringify(known)));
    this.summary = launch(
      name,
      { create: "attest", environment: { [planVariable]: plan(args) }, stdin },
      { parent: this, mode, limit: "40m" },
    );
    this.registerOutputs({ summary: this.summary });
  }
}

/** Runs the process of its own that signs and copies, once for each change of what it is told. @returns what it answers. */
export function launch<Summary>(
  name: string,
  told: Pick<command.local.CommandArgs, "create" | "environment" | "stdin">,
  { parent, mode, limit }: Launching,
): pulumi.Output<Summary> {
  const { stdout } = new command.local.Command(
    name,
    {
      ...told,
      interpreter: ["node", "components/attest/launch.cjs"],
      dir: checkout,
      // Its output is an answer: the provider (1.2.1) reads no further than a line of 64 KiB, and a longer one waits for ever.
      logging: command.local.Logging.None,
    },
    {
      parent,
      // A change of an input makes the command run again, as an update: no preview ever shows a delete or a replacement.
      ignoreChanges: mode === "keep" ? ["*"] : [],
      customTimeouts: { create: limit, update: limit },
    },
  );
  return stdout.apply((line) => JSON.parse(line) as Summary);
}

interface Launching {
  readonly parent: pulumi.Resource;
  readonly mode: AttestationArgs["mode"];
  /** How long it may take, as `40m`. */
  readonly limit: string;
}

function plan({
  repository,
  version,
  tag,
  indexDigest,
  config,
  known,
  completed,
  labels,
  startedOn,
  images = [],
}: AttestationArgs): pulumi.Output<string> {
  return pulumi.all([indexDigest, images]).apply(([digest, made]) => {
    const sboms = Object.fromEntries(made.flatMap(({ record, sbom }) => (sbom ? [[record.platform, sbom]] : [])));
    // What was built or copied in this run is ours; what was only scanned may be anybody's.
    const own = made.flatMap(({ record }) => (record.origin === "scanned" ? [] : [record.image.digest]));
    if (isDigest(digest))
      return JSON.stringify({
        ...{
          repository,
          indexDigest: digest,
          version,
          tag,
          config,
          known: [...known, ...own],
          ...(completed !== undefined && { completed }),
          sealed: own,
          labels,
          sboms,
          startedOn,
        },
      } satisfies AttestPlanInput);
    // After a refused push the provider gives the bare tag; signing that would sign whatever it names.
    throw new pulumi.RunError(`${repository} is not signed: ${JSON.stringify(digest)} is not the digest of an index`);
  });
}
