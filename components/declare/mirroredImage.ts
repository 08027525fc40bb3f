import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import type { BuildRecipe } from "../decide/appPlan";
import { type Platform, platformSlug } from "../model/platform";
import { settle } from "../engine/settled";
import { imageExport } from "../decide/spellings";
import { type DeclaredImage, PublishedImage } from "../engine/publishedImage";
import { digestIn } from "../model/reference";
import type { MirrorConfig } from "../config/mirrorConfig";

/** Where the layers of earlier builds are kept, as docker-build inputs. */
export interface BuildCache {
  readonly from: dockerBuild.types.input.CacheFromArgs[];
  readonly to: dockerBuild.types.input.CacheToArgs[];
}

/** Arguments of {@link mirroredImage}. */
export interface MirroredImageArgs {
  /** `registry/namespace/name`; the image is pushed there by digest, without a tag. */
  readonly repository: string;
  readonly platform: Platform;
  /** Undefined for an image that is published: its inputs are those in the state, whatever is declared. */
  readonly recipe?: BuildRecipe;
  /** Finds the image of another app that this build uses: `name@sha256:…`. */
  readonly imageOf: (app: string, version: string, platform: Platform) => pulumi.Input<string>;
  readonly builder?: string;
  readonly cache?: BuildCache;
  /** Does the work of the build when it is its turn. */
  readonly inTurn: (build: () => Promise<unknown>) => Promise<unknown>;
}

/**
 * Declares one platform's image. It is pushed by digest only, so a tag can never name an image that was not checked.
 * Once it is published it is immutable: no later edit of label, cache, builder or recipe builds it again. One that is
 * still to get its tag has a recipe and follows it: a failed check may be the recipe's fault, or upstream may have moved.
 */
export function mirroredImage(
  name: string,
  args: MirroredImageArgs,
  options: pulumi.CustomResourceOptions,
): DeclaredImage {
  const { repository, platform, recipe, builder, cache, inTurn } = args;
  if (!recipe) return new PublishedImage(name, options);
  const limit = `${recipe.limitSeconds}s`;
  const named = namedContexts(recipe, args.imageOf);
  const location = pulumi.runtime.isDryRun()
    ? recipe.context
    : pulumi.output(turnOf(inTurn, Object.values(named), () => image.ref).then(() => recipe.context));
  const image: dockerBuild.Image = new dockerBuild.Image(
    name,
    {
      context: { location, named },
      push: false,
      buildOnPreview: false,
      tags: [repository],
      exports: [{ raw: recipe.exported ?? imageExport() }],
      platforms: [platform as dockerBuild.Platform],
      ...(builder !== undefined && { builder: { name: builder } }),
      ...(cache && { cacheFrom: cache.from, cacheTo: cache.to }),
      ...buildInputs(recipe, args),
    },
    // The provider ends the build with the time, and BuildKit with the provider's call what it runs for it.
    { ...options, customTimeouts: { create: limit, update: limit } },
  );
  return image;
}

type NamedContexts = Readonly<Record<string, dockerBuild.types.input.ContextArgs>>;

function namedContexts(
  { namedContexts: named, platform }: BuildRecipe,
  imageOf: MirroredImageArgs["imageOf"],
): NamedContexts {
  const contexts = Object.entries(named).map(([key, context]) => {
    const location =
      context.kind === "reference"
        ? context.location
        : imageLocation(imageOf(context.app, context.version, platform), `${context.app}:${context.version}`);
    return [key, { location }] as const;
  });
  return Object.fromEntries(contexts);
}

/** Resolves when a build may begin: all it builds on is there, or is known to have failed, and it is its turn, which lasts until it has ended. */
function turnOf(
  inTurn: MirroredImageArgs["inTurn"],
  contexts: readonly dockerBuild.types.input.ContextArgs[],
  image: () => pulumi.Output<string>,
): Promise<void> {
  return new Promise((begin) => {
    const ready = Promise.all(contexts.map(({ location }) => settle(pulumi.output(location))));
    void ready.then(() =>
      inTurn(() => {
        begin();
        return settle(image());
      }),
    );
  });
}

function buildInputs(
  recipe: BuildRecipe,
  { imageOf, repository }: Pick<MirroredImageArgs, "imageOf" | "repository">,
): Partial<dockerBuild.ImageArgs> {
  return {
    ...(recipe.dockerfile.inline !== undefined && { dockerfile: { inline: recipe.dockerfile.inline } }),
    buildArgs: {
      ...recipe.buildArguments,
      // Else a cache mount is shared by all that builds there, and one app could put into it what another one takes out.
      BUILDKIT_CACHE_MOUNT_NS: repository,
      // BuildKit takes the frontend this argument names rather than what the Dockerfile's own tag names by then.
      ...(recipe.frontend && { BUILDKIT_SYNTAX: recipe.frontend.pinned }),
    },
    labels: { ...recipe.labels, ...baseLabels(recipe, imageOf) },
    ...(recipe.target !== undefined && { target: recipe.target }),
  };
}

/** The labels that name an image of this mirror as the base: its digest may be known only when it has been built. */
function baseLabels(
  { namedContexts, finalBase, platform }: BuildRecipe,
  imageOf: MirroredImageArgs["imageOf"],
): Readonly<Record<string, pulumi.Input<string>>> {
  const context = finalBase && namedContexts[finalBase.context];
  if (!context) return {};
  const image = context.kind === "reference" ? context.location : imageOf(context.app, context.version, platform);
  const digest = pulumi.output(image).apply((reference) => digestIn(reference) ?? reference);
  return { "org.opencontainers.image.base.name": finalBase.name, "org.opencontainers.image.base.digest": digest };
}

/**
 * Where the build finds an image of this run. One that could not be built leaves an unknown value, which the provider
 * refuses in a way that ends the whole run; so this build is sent to a place where there is nothing, and fails alone.
 */
function imageLocation(image: pulumi.Input<string>, name: string): pulumi.Output<string> {
  const reference = pulumi.output(image);
  if (pulumi.runtime.isDryRun()) return pulumi.interpolate`docker-image://${reference}`;
  const location = settle(reference).then((settled) =>
    settled.state === "known" ? settled.value : `localhost:1/the-base-was-not-built/${name}`,
  );
  return pulumi.output(location.then((found) => `docker-image://${found}`));
}

/**
 * The cache settings of one app's builds for one platform: each has its own corner, so that two never overwrite each other.
 * A cache that cannot be written never fails a build.
 */
export function buildCache(
  { cache, registry, namespace }: Pick<MirrorConfig, "cache" | "registry" | "namespace">,
  app: string,
  platform: Platform,
): BuildCache | undefined {
  const corner = `${app}-${platformSlug(platform)}`;
  switch (cache.type) {
    case "off":
      return undefined;
    case "gha":
      return {
        from: [{ gha: { scope: corner } }],
        to: [{ gha: { scope: corner, mode: cache.mode, ignoreError: true } }],
      };
    case "local": {
      const folder = `${cache.directory}/${corner}`;
      return {
        from: [{ local: { src: folder } }],
        to: [{ local: { dest: folder, mode: cache.mode, ignoreError: true } }],
      };
    }
    case "registry": {
      // A package for each app: who may write one app's may not so write another's.
      const ref = `${registry}/${cache.repository ?? `${namespace}/build-cache`}-${app}:${platformSlug(platform)}`;
      const to = { ref, mode: cache.mode, ignoreError: true, imageManifest: true, ociMediaTypes: true };
      return { from: [{ registry: { ref } }], to: [{ registry: to }] };
    }
    default:
      return cache satisfies never;
  }
}
