import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { Attestation } from "./attestation";
import { type CheckedSources, checkedSources, digestOf, literal } from "./indexSources";
import { mirroredImage } from "./mirroredImage";
import type { BuildRecipe, PlannedVersion } from "./plan/appPlan";
import type { AppSpecification } from "./plan/appSpecification";
import { isDigest } from "./plan/digest";
import type { IndexSource } from "./plan/plan";
import { type Platform, platformSlug } from "./plan/platform";
import type { PublishedVersion } from "./plan/published";
import { reasonOf } from "./reasonOf";
import { settle } from "./settled";
import type { TagHolding, VersionEdges } from "./versionEdges";
import { failed, untouched, type VersionOutcome } from "./versionOutcome";

/** Arguments of {@link MirroredVersion}. */
export interface MirroredVersionArgs {
  readonly specification: AppSpecification;
  readonly repository: string;
  readonly planned: PlannedVersion;
  readonly edges: VersionEdges;
}

/** One version of an app: an Image per platform to build or kept from earlier runs, and the Index that carries the tag. */
export class MirroredVersion extends pulumi.ComponentResource {
  /** Reference by digest of every platform image declared, by platform. */
  readonly images: Readonly<Record<Platform, pulumi.Output<string>>>;
  /** Images of bases that are published nowhere: app → platform → reference by digest. */
  private readonly bases: Record<string, Record<Platform, pulumi.Output<string>>> = {};
  /** How the version ended. Never rejects. */
  readonly outcome: pulumi.Output<VersionOutcome>;
  /** The same as a promise, for decisions that follow. */
  readonly ended: Promise<VersionOutcome>;

  constructor(name: string, args: MirroredVersionArgs, options?: pulumi.ComponentResourceOptions) {
    super("multiarch-mirror:index:MirroredVersion", name, {}, options);
    const { repository, planned } = args;
    this.declareBases(name, args);
    const kept = args.edges.phase === "build" ? [] : (Object.keys(planned.plan.keep) as Platform[]);
    const declared = [...new Set([...kept, ...toBuild(planned)])];
    this.images = Object.fromEntries(
      declared.map((platform) => {
        const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
        return [platform, this.declareImage(`${name}-${platformSlug(platform)}`, repository, platform, recipe, args)];
      }),
    );
    this.ended = this.end(name, args);
    this.outcome = pulumi.output(this.ended);
    this.registerOutputs({ tag: `${repository}:${planned.tag}` });
  }

  private end(name: string, args: MirroredVersionArgs): Promise<VersionOutcome> {
    const { sources } = args.planned.plan;
    if (args.edges.phase === "build") return this.buildOnly(args);
    return sources ? this.declareIndex(name, args, sources) : this.leaveIndex(name, args);
  }

  /** Phase `build`: waits for every image and checks it, each by itself, as the platforms do not depend on each other. */
  private async buildOnly({ repository, specification, planned, edges }: MirroredVersionArgs): Promise<VersionOutcome> {
    if (pulumi.runtime.isDryRun()) return { state: "pending" };
    if (planned.plan.problem !== undefined) return failed(planned, planned.plan.problem);
    const ended = toBuild(planned).map(async (platform) => {
      try {
        const ref = await settle(this.imageFor(platform));
        if (ref.state !== "known") throw new Error(`the build for ${platform} failed`);
        const digest = digestOf(ref.value);
        const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
        const reference = `${repository}@${digest}`;
        await edges.check({ reference, platform, specification, planned, ...(recipe && { recipe }) });
        return { platform, digest };
      } catch (error) {
        return { reason: reasonOf(error) };
      }
    });
    const results = await Promise.all(ended);
    const images = results.flatMap((result) => ("digest" in result ? [[result.platform, result.digest] as const] : []));
    const reasons = results.flatMap((result) => ("reason" in result ? [result.reason] : []));
    return {
      state: "built",
      images: Object.fromEntries(images),
      ...(reasons.length > 0 && { reason: reasons.join("; ") }),
    };
  }

  /** Declares the bases nobody publishes, in the order they build on each other, and those kept from earlier runs. */
  private declareBases(name: string, args: MirroredVersionArgs): void {
    const { planned, repository } = args;
    const namespace = repository.slice(0, repository.lastIndexOf("/"));
    const kept = Object.entries(planned.keptBases).map(([app, images]) => ({
      app,
      repository: `${namespace}/${app}`,
      wanted: (Object.keys(images) as Platform[]).map((platform) => ({ platform })),
    }));
    const fresh = planned.unpublishedBases.map(({ app, repository: own, recipes }) => ({
      app,
      repository: own,
      wanted: recipes.map((recipe) => ({ platform: recipe.platform, recipe })),
    }));
    for (const base of [...fresh, ...kept]) {
      const declared = (this.bases[base.app] ??= {});
      for (const { platform, ...rest } of base.wanted) {
        const recipe = "recipe" in rest ? (rest.recipe as BuildRecipe) : undefined;
        declared[platform] ??= this.declareImage(
          `${name}-on-${base.app}-${platformSlug(platform)}`,
          base.repository,
          platform,
          recipe,
          args,
        );
      }
    }
  }

  private declareImage(
    name: string,
    repository: string,
    platform: Platform,
    recipe: BuildRecipe | undefined,
    { edges }: MirroredVersionArgs,
  ): pulumi.Output<string> {
    const builder = edges.builder(platform);
    const cache = edges.cache(repository.slice(repository.lastIndexOf("/") + 1), platform);
    const image = mirroredImage(
      name,
      {
        repository,
        platform,
        imageOf: (app, version, target) => this.bases[app]?.[target] ?? edges.imageOf(app, version, target),
        ...(recipe && { recipe }),
        ...(builder !== undefined && { builder }),
        ...(cache && { cache }),
      },
      { parent: this },
    );
    return image.ref;
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
    const options = { parent: this, retainOnDelete: true };
    const shown = planned.map((source) =>
      source.kind === "build"
        ? (version.copies[source.platform] ?? this.imageFor(source.platform))
        : literal(source, repository),
    );
    const writing = version.plan.build.length > 0 || version.plan.state === "missing";
    if (!writing || pulumi.runtime.isDryRun()) {
      new dockerBuild.Index(name, { tag, sources: shown, push: true }, options);
      const attestation = this.attest(name, args, writing ? unknownOutput() : version.plan.present?.digest);
      return writing ? Promise.resolve({ state: "pending" }) : this.attested(untouched(version), attestation);
    }
    const images = toBuild(version).map((platform) => ({ platform, ref: this.imageFor(platform) }));
    const sources = pulumi.all(images.map(({ ref }) => ref)).apply((refs) => {
      const made = new Map(images.map(({ platform }, position) => [platform, refs[position] ?? ""]));
      return checkedSources(made, tag, args, planned);
    });
    const index = new dockerBuild.Index(
      name,
      { tag, sources: sources.apply((checked) => checked.references), push: true },
      options,
    );
    const digest = index.ref.apply((ref) => ref.split("@")[1] ?? ref);
    const attestation = this.attest(name, args, digest);
    return this.attested(this.follow(args, tag, images, sources, index), attestation);
  }

  /** Declares the version's attestations, where there is anything to do about them or was before. */
  private attest(
    name: string,
    { repository, planned, edges }: MirroredVersionArgs,
    indexDigest: pulumi.Input<string> | undefined,
  ): Attestation | undefined {
    const { mode, record } = planned.attestation ?? { mode: "none" };
    if (mode === "none" || indexDigest === undefined) return undefined;
    const { config, startedOn } = edges.attest;
    return new Attestation(
      `${name}-attestation`,
      { repository, indexDigest, config, mode, startedOn, ...(record && { record }) },
      { parent: this },
    );
  }

  /** The outcome once the attestations have ended too. A version that could not be attested stays published, and is a failure. */
  private async attested(
    outcome: VersionOutcome | Promise<VersionOutcome>,
    attestation: Attestation | undefined,
  ): Promise<VersionOutcome> {
    const before = await outcome;
    if (!("record" in before) || !before.record || !attestation || pulumi.runtime.isDryRun()) return before;
    const summary = await settle(attestation.summary);
    if (summary.state === "known") return { ...before, record: { ...before.record, attested: true } };
    const why = summary.state === "failed" ? `: ${reasonOf(summary.error)}` : "";
    return { state: "failed", reason: `it is published, but not fully attested${why}`, record: before.record };
  }

  /** A version without an Index of this stack: adopted, or not to be had. Only its attestations may need work. */
  private leaveIndex(name: string, args: MirroredVersionArgs): Promise<VersionOutcome> {
    return this.attested(untouched(args.planned), this.attest(name, args, args.planned.plan.present?.digest));
  }

  /** Waits for images, checks and index, and says how the version ended. Never rejects. */
  private async follow(
    { planned, edges }: MirroredVersionArgs,
    tag: string,
    images: readonly PlatformImage[],
    sources: pulumi.Output<CheckedSources>,
    index: dockerBuild.Index,
  ): Promise<VersionOutcome> {
    const built = await Promise.all(images.map(async ({ platform, ref }) => ({ platform, ref: await settle(ref) })));
    const unbuilt = built.filter(({ ref }) => ref.state !== "known").map(({ platform }) => platform);
    if (unbuilt.length > 0) return failed(planned, `the build for ${unbuilt.join(", ")} failed`);
    const checked = await settle(sources);
    if (checked.state !== "known")
      return failed(planned, checked.state === "failed" ? reasonOf(checked.error) : "it was not checked");
    const ref = await settle(index.ref);
    if (ref.state !== "known" || !isDigest(ref.value.split("@")[1]))
      return failed(planned, "the index could not be written");
    try {
      const written = await edges.lookAgain(tag);
      if (!written) return failed(planned, "the index was written, but the tag is absent");
      return { state: "published", record: await this.record(planned, written, checked.value) };
    } catch (error) {
      return failed(planned, `the index was written, but cannot be read back: ${reasonOf(error)}`);
    }
  }

  private imageFor(platform: Platform): pulumi.Output<string> {
    const image = this.images[platform];
    if (image) return image;
    throw new Error(`no image is declared for ${platform}`);
  }

  /** The digests of the unpublished bases declared here, for the record. Those that failed are left out. */
  private async baseImages(): Promise<NonNullable<PublishedVersion["baseImages"]>> {
    const apps = Object.entries(this.bases).map(async ([app, images]) => {
      const entries = Object.entries(images) as [Platform, pulumi.Output<string>][];
      const settled = await Promise.all(entries.map(async ([platform, ref]) => [platform, await settle(ref)] as const));
      const known = settled.flatMap(([platform, ref]) =>
        ref.state === "known" ? [[platform, digestOf(ref.value)] as const] : [],
      );
      return [app, Object.fromEntries(known)] as const;
    });
    return Object.fromEntries(await Promise.all(apps));
  }

  private async record(
    version: PlannedVersion,
    written: TagHolding,
    checked: CheckedSources,
  ): Promise<PublishedVersion> {
    const bases = await this.baseImages();
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

interface PlatformImage {
  readonly platform: Platform;
  readonly ref: pulumi.Output<string>;
}

/** Platforms that are built here rather than copied from upstream's own image. */
function toBuild({ plan, copies }: PlannedVersion): readonly Platform[] {
  return plan.build.filter((platform) => !(platform in copies));
}

/** What a preview cannot know yet. */
function unknownOutput(): pulumi.Output<string> {
  return pulumi.output<string>(pulumi.unknown as unknown as string);
}
