import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import type { PlannedVersion } from "../decide/appPlan";
import { spelledAnew } from "../decide/spellings";
import { type IndexSource, writesIndex } from "../decide/versionPlan";
import { composeVersionRecord } from "../decide/composeVersionRecord";
import { settle } from "../engine/settled";
import type { RecordedImage } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import type { TagHolding } from "../model/probe";
import type { PublishedVersion } from "../model/published";
import { reasonOf } from "../model/reasonOf";
import { digestIn } from "../model/reference";
import type { VersionRecord } from "../model/versionRecord";
import { type CheckedSources, checkedSources, literal } from "./indexSources";
import { scannedImage } from "./recordedImage";
import { type AttachedIndex, VersionAttachments } from "./versionAttachments";
import { VersionImages, buildOnly, toBuild } from "./versionImages";
import { adviceOnTags, failed, untouched, type VersionOutcome } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

/** One version of an app: an Image per platform to build or kept from earlier runs, and the Index that carries the tag. */
export class MirroredVersion extends pulumi.ComponentResource {
  /** Reference by digest of every platform image declared, by platform. */
  readonly images: PerPlatform<pulumi.Output<string>>;
  readonly #images: VersionImages;
  /** How the version ended. Never rejects. */
  readonly outcome: pulumi.Output<VersionOutcome>;
  /** The same as a promise, for decisions that follow. */
  readonly ended: Promise<VersionOutcome>;

  constructor(name: string, args: MirroredVersionArgs, options?: pulumi.ComponentResourceOptions) {
    super("multiarch-mirror:index:MirroredVersion", name, {}, options);
    this.#images = new VersionImages(args, this);
    this.images = this.#images.platforms;
    this.ended = this.end(name, args);
    this.outcome = pulumi.output(this.ended);
    this.registerOutputs();
  }

  private end(name: string, args: MirroredVersionArgs): Promise<VersionOutcome> {
    const { plan } = args.planned;
    if (args.services.phase === "build") return buildOnly(args, this.#images);
    const left = plan.sources ? this.declareIndex(name, args, plan.sources) : this.leaveIndex(name, args);
    return plan.build.length === 0 || writesIndex(plan) ? left : this.buildAhead(left, args);
  }

  /** Builds images of a version whose tag waits for platforms another run deals with. What is recorded of it stays recorded. */
  private async buildAhead(left: Promise<VersionOutcome>, args: MirroredVersionArgs): Promise<VersionOutcome> {
    const [before, built] = await Promise.all([left, buildOnly(args, this.#images)]);
    return { ...built, ...("record" in before && before.record && { record: before.record }) };
  }

  /**
   * Declares the Index. One that is to be written gets its sources only after every new image was checked; in a preview there is
   * nothing to check yet, and the provider takes unknown elements of the list, but no unknown list.
   */
  private declareIndex(
    name: string,
    args: MirroredVersionArgs,
    planned: readonly IndexSource[],
  ): Promise<VersionOutcome> {
    const { repository, planned: version } = args;
    const tag = `${repository}:${version.tag}`;
    const options = { parent: this };
    const writing = writesIndex(version.plan);
    if (!writing || pulumi.runtime.isDryRun()) {
      const sources = this.sourcesShown(args, planned, writing ? version.written : undefined);
      new dockerBuild.Index(name, { tag, sources, push: true }, options);
      const about = writing ? { digest: unknownOutput() } : published(args);
      const attachments = new VersionAttachments(name, args, about, this);
      return writing ? Promise.resolve({ state: "pending" }) : attachments.complete(untouched(version));
    }
    const images = toBuild(version).map((platform) => ({ platform, ref: this.#images.of(platform) }));
    const made = this.#images.made();
    // Not by apply: a failed build leaves an unknown list, which the provider refuses in a way that ends the whole run.
    const sources = pulumi.output(
      checkedSources(made, tag, args, planned).then(async (checked) => {
        if (version.plan.present) await args.services.makeWay(tag);
        return { ...checked, references: spelledAnew(checked.references, version.written, version.tag) };
      }),
    );
    const index = new dockerBuild.Index(
      name,
      { tag, sources: sources.apply((checked) => checked.references), push: true },
      options,
    );
    const about = {
      digest: index.ref.apply((ref) => digestIn(ref) ?? ref),
      images: sources.apply(async ({ images: own }) => [...own, ...(await scanned(args))]),
      record: sources.apply((checked) => recordOf(args, checked)),
    };
    const attachments = new VersionAttachments(name, args, about, this);
    return attachments.complete(this.follow(args, tag, images, sources, index));
  }

  /** The sources as far as they are known before anything is built. */
  private sourcesShown(
    { repository, planned }: MirroredVersionArgs,
    sources: readonly IndexSource[],
    written: readonly string[] | undefined,
  ): pulumi.Input<string>[] {
    if (sources.every(({ kind }) => kind !== "build")) {
      const references = sources.map((source) => literal(source, repository));
      return spelledAnew(references, written, planned.tag);
    }
    if (planned.copiedIndex !== undefined) return [planned.copiedIndex];
    return sources.map((source) =>
      source.kind === "build"
        ? (existingSource(planned, source.platform) ?? this.#images.of(source.platform))
        : literal(source, repository),
    );
  }

  /** A version without an Index of this stack: adopted, or not to be had. Only what is attached to it may need work. */
  private leaveIndex(name: string, args: MirroredVersionArgs): Promise<VersionOutcome> {
    const attachments = new VersionAttachments(name, args, published(args), this);
    return attachments.complete(untouched(args.planned));
  }

  /** Waits for images, checks and index, and says how the version ended. Never rejects. */
  private async follow(
    { planned, services }: MirroredVersionArgs,
    tag: string,
    images: readonly PlatformImage[],
    sources: pulumi.Output<CheckedSources>,
    index: dockerBuild.Index,
  ): Promise<VersionOutcome> {
    const built = await Promise.all(images.map(async ({ platform, ref }) => ({ platform, ref: await settle(ref) })));
    const unbuilt = built.filter(({ ref }) => ref.state !== "known").map(({ platform }) => platform);
    if (unbuilt.length > 0) return failed(planned, await this.#images.failure(unbuilt));
    const checked = await settle(sources);
    if (checked.state !== "known")
      return failed(planned, checked.state === "failed" ? whyNot(checked.error) : "it was not checked");
    const ref = await settle(index.ref);
    if (ref.state !== "known" || !digestIn(ref.value))
      return failed(planned, `the index could not be written${adviceOnTags(planned.plan.present !== undefined)}`);
    try {
      const written = await services.lookAgain(tag);
      if (!written) return failed(planned, "the index was written, but the tag is absent");
      const record = await this.record(planned, written, checked.value);
      const lacking = (planned.plan.offers ?? []).filter((platform) => !(platform in written.platforms));
      if (lacking.length === 0) return { state: "published", record };
      const reason = `the index was written, but does not offer ${lacking.join(", ")}; the next run writes it anew`;
      return { state: "failed", reason, record, incomplete: true };
    } catch (error) {
      return failed(planned, `the index was written, but cannot be read back: ${reasonOf(error)}`);
    }
  }

  private async record(
    version: PlannedVersion,
    written: TagHolding,
    checked: CheckedSources,
  ): Promise<PublishedVersion> {
    const bases = await this.#images.bases();
    const commit = version.recordedCommit ?? version.release?.commit;
    return {
      tag: version.tag,
      digest: written.digest,
      platforms: written.platforms,
      origin: version.plan.origin ?? "built",
      sources: checked.references,
      images: { ...version.plan.keep, ...checked.built },
      ...(commit !== undefined && { commit }),
      ...(Object.keys(bases).length > 0 && { baseImages: bases }),
    };
  }
}

/** What kept the index from being written. The error itself begins with the version, which is known here. */
function whyNot(error: unknown): string {
  return reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

interface PlatformImage {
  readonly platform: Platform;
  readonly ref: pulumi.Output<string>;
}

/** What the tag names, or named when it could last be seen: attestations once declared are declared again. */
function published(args: MirroredVersionArgs): AttachedIndex {
  const { plan, managed, attestation } = args.planned;
  const digest: Digest | undefined = plan.present?.digest ?? managed?.digest;
  const scans = !pulumi.runtime.isDryRun() && (attestation?.scans ?? []).length > 0;
  return {
    ...(digest && { digest }),
    ...(attestation?.record && { record: attestation.record }),
    ...(scans && { images: scanned(args) }),
  };
}

/** Published images with the SBOMs they lack, as far as those can be had here. */
async function scanned(args: MirroredVersionArgs): Promise<readonly RecordedImage[]> {
  const { attestation, plan } = args.planned;
  const present = plan.present?.platforms;
  const images = (attestation?.scans ?? []).map(async (platform) => {
    const digest = present?.[platform];
    return digest && (await scannedImage(platform, digest, args));
  });
  return (await Promise.all(images)).filter((image) => image !== undefined);
}

/** Where a platform comes from that needs no build. */
function existingSource({ copies, records }: PlannedVersion, platform: Platform): string | undefined {
  const image = records[platform]?.record.image;
  return copies[platform] ?? (image && `${image.repository}@${image.digest}`);
}

/** How the version came to be, by the records of its images; undefined when the release it stands for is not known. */
function recordOf({ repository, planned }: MirroredVersionArgs, checked: CheckedSources): VersionRecord | undefined {
  const { version, tag, upstream, copies, adopted } = planned;
  const { images, present } = checked;
  const records = images.map(({ record }) => record);
  return upstream && composeVersionRecord({ version, tag, repository, upstream, present, records, copies, adopted });
}

/** What a preview cannot know yet. */
function unknownOutput(): pulumi.Output<string> {
  return pulumi.output<string>(pulumi.unknown as unknown as string);
}
