import * as pulumi from "@pulumi/pulumi";
import type { BuildRecipe, PlannedVersion } from "../decide/appPlan";
import { settle } from "../engine/settled";
import type { Digest } from "../model/digest";
import { type Platform, platformEntries, platformsIn } from "../model/platform";
import type { PublishedVersion } from "../model/published";
import { reasonOf } from "../model/reasonOf";
import { appOf, siblingOf } from "../model/reference";
import { resourceNames } from "../model/resourceNames";
import { mirroredImage } from "./mirroredImage";
import { type MadeImage, digestOf, recordedImage, scannedImage } from "./recordedImage";
import { type VersionOutcome, failed, tookTooLong, untouched } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

type References = Record<Platform, pulumi.Output<string>>;

/** The Image resources of one version: one per platform to build or kept from earlier runs, and the bases nobody publishes. */
export class VersionImages {
  /** Reference by digest of every platform image declared. */
  readonly platforms: Readonly<References>;
  /** Images of bases that are published nowhere: app → platform → reference by digest. */
  readonly #bases: Record<string, References> = {};
  /** Milliseconds from the turn of each image's build to its end. */
  readonly #took = new Map<string, Promise<number>>();

  constructor(
    private readonly args: MirroredVersionArgs,
    private readonly parent: pulumi.Resource,
  ) {
    const { specification, repository, planned } = args;
    this.declareBases(args);
    const declared = [...new Set([...platformsIn(planned.plan.keep), ...toBuild(planned)])];
    this.platforms = Object.fromEntries(
      declared.map((platform) => {
        const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
        const image = resourceNames.image(specification.name, planned.version, platform);
        return [platform, this.declareImage(image, repository, platform, recipe, args)];
      }),
    );
  }

  /** The image of a platform. @throws Error when none is declared, which would be a mistake of the plan. */
  of(platform: Platform): pulumi.Output<string> {
    const image = this.platforms[platform];
    if (image) return image;
    throw new Error(`no image is declared for ${platform}`);
  }

  /** The images built in this run, each once it is there; undefined for one whose build failed. */
  made(): ReadonlyMap<Platform, Promise<MadeImage | undefined>> {
    return new Map(toBuild(this.args.planned).map((platform) => [platform, this.whenBuilt(platform)]));
  }

  /** What became of builds that failed, in words. */
  async failure(platforms: readonly Platform[]): Promise<string> {
    const { specification, planned } = this.args;
    const ends = await Promise.all(
      platforms.map(async (platform) => {
        const { limitSeconds = Infinity } = planned.recipes.find((recipe) => recipe.platform === platform) ?? {};
        const took = await this.#took.get(resourceNames.image(specification.name, planned.version, platform));
        return { platform, end: (took ?? 0) < limitSeconds * 1000 ? "failed" : tookTooLong(limitSeconds) };
      }),
    );
    const groups = [...new Set(ends.map(({ end }) => end))].map((end) => {
      const own = ends.filter((one) => one.end === end).map(({ platform }) => platform);
      return `the build for ${own.join(", ")} ${end}`;
    });
    return groups.join("; ");
  }

  private async whenBuilt(platform: Platform): Promise<MadeImage | undefined> {
    const ref = await settle(this.of(platform));
    if (ref.state !== "known") return undefined;
    const recipe = this.args.planned.recipes.find((candidate) => candidate.platform === platform);
    const contexts = Object.entries(recipe?.namedContexts ?? {}).map(async ([key, context]) => {
      if (context.kind === "reference") return [key, context.location] as const;
      const image = await settle(pulumi.output(this.imageOf(context.app, context.version, platform)));
      if (image.state === "known") return [key, `docker-image://${image.value}`] as const;
      throw new Error(`the image of ${context.app} ${context.version} it is built on is not known`);
    });
    return { reference: ref.value, contexts: Object.fromEntries(await Promise.all(contexts)) };
  }

  /** The image of another app: one declared for this version alone, or that of the app itself. */
  private imageOf(app: string, version: string, platform: Platform): pulumi.Input<string> {
    return this.#bases[app]?.[platform] ?? this.args.services.imageOf(app, version, platform);
  }

  /** The digests of the unpublished bases declared here, for the record. Those that failed are left out. */
  async bases(): Promise<NonNullable<PublishedVersion["baseImages"]>> {
    const apps = Object.entries(this.#bases).map(async ([app, images]) => {
      const entries = platformEntries(images);
      const settled = await Promise.all(entries.map(async ([platform, ref]) => [platform, await settle(ref)] as const));
      const known = settled.flatMap(([platform, ref]) =>
        ref.state === "known" ? [[platform, digestOf(ref.value)] as const] : [],
      );
      return [app, Object.fromEntries(known)] as const;
    });
    return Object.fromEntries(await Promise.all(apps));
  }

  /** Declares the bases nobody publishes, in the order they build on each other, and those kept from earlier runs. */
  private declareBases(args: MirroredVersionArgs): void {
    const { specification, planned, repository } = args;
    const kept = Object.entries(planned.keptBases).map(([app, images]) => ({
      app,
      repository: siblingOf(repository, app),
      wanted: platformsIn(images).map((platform) => ({ platform, recipe: undefined })),
    }));
    const fresh = planned.unpublishedBases.map(({ app, repository: own, recipes }) => ({
      app,
      repository: own,
      wanted: recipes.map((recipe) => ({ platform: recipe.platform, recipe })),
    }));
    for (const base of [...fresh, ...kept]) {
      const declared = (this.#bases[base.app] ??= {});
      for (const { platform, recipe } of base.wanted) {
        declared[platform] ??= this.declareImage(
          resourceNames.baseImage(specification.name, planned.version, base.app, platform),
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
    { services, specification }: MirroredVersionArgs,
  ): pulumi.Output<string> {
    const builder = services.builder(platform);
    const cache = services.cache(appOf(repository), platform);
    let begun = Infinity;
    const image = mirroredImage(
      name,
      {
        repository,
        platform,
        imageOf: (app, version, target) => this.imageOf(app, version, target),
        inTurn: (build) =>
          services.inTurn(specification.name, () => {
            begun = performance.now();
            return build();
          }),
        ...(recipe && { recipe }),
        ...(builder !== undefined && { builder }),
        ...(cache && { cache }),
      },
      { parent: this.parent },
    );
    this.#took.set(
      name,
      settle(image.ref).then(() => performance.now() - begun),
    );
    return image.ref;
  }
}

/** Platforms that are built here rather than handed over or copied from upstream's own image. */
export function toBuild({ plan, copies, records }: PlannedVersion): readonly Platform[] {
  return plan.build.filter((platform) => !(platform in copies) && !(platform in records));
}

type PlatformResult = { readonly image: readonly [Platform, Digest] } | { readonly reason: string };

/** Phase `build`: waits for every image, checks it and hands it over with its record, each by itself, as the platforms do not depend on each other. */
export async function buildOnly(args: MirroredVersionArgs, images: VersionImages): Promise<VersionOutcome> {
  const { planned } = args;
  if (pulumi.runtime.isDryRun()) return { state: "pending" };
  if (planned.plan.problem !== undefined) return failed(planned, planned.plan.problem);
  const left = untouched(planned);
  if (planned.plan.build.length === 0 && left.state === "waiting") return left;
  const made = images.made();
  const ended = planned.plan.build.map(async (platform): Promise<PlatformResult> => {
    try {
      const image = await recordedImage(platform, made.get(platform), args);
      if (!image) throw new Error(await images.failure([platform]));
      return { image: [platform, image.record.image.digest] };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  });
  await Promise.all((planned.attestation?.scans ?? []).map((platform) => scan(platform, args)));
  const results = await Promise.all(ended);
  const built = results.flatMap((result) => ("image" in result ? [result.image] : []));
  const reasons = results.flatMap((result) => ("reason" in result ? [result.reason] : []));
  return {
    state: "built",
    images: Object.fromEntries(built),
    ...(reasons.length > 0 && { reason: reasons.join("; ") }),
  };
}

/** Makes the SBOM a published image lacks. */
async function scan(platform: Platform, args: MirroredVersionArgs): Promise<void> {
  const digest = args.planned.plan.present?.platforms[platform];
  if (digest !== undefined) await scannedImage(platform, digest, args);
}
