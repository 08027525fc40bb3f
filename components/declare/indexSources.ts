import * as pulumi from "@pulumi/pulumi";
import type { PlannedVersion } from "../decide/appPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import type { IndexSource } from "../decide/versionPlan";
import type { Platform, PerPlatform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import type { VersionServices } from "./versionServices";
import { digestIn } from "../model/reference";

/** What the sources of a version's index are made from. */
export interface SourcesRequest {
  readonly specification: AppSpecification;
  readonly repository: string;
  readonly planned: PlannedVersion;
  readonly services: Pick<VersionServices, "check" | "lookAgain">;
}

/** The sources of an index whose images all passed their checks. */
export interface CheckedSources {
  /** In order, each by digest. */
  readonly references: string[];
  /** The images built for it. */
  readonly built: PerPlatform<Digest>;
}

/**
 * Checks every new image as soon as it is built, looks at the tag a last time and composes the sources. Should another run have
 * published in the meantime, the platforms it published stay: only what is still missing is added.
 * @param made the images built in this run, as the provider names them; undefined for one whose build failed.
 * @throws RunError, which Pulumi prints without a stack trace, when an image must not get the tag.
 */
export async function checkedSources(
  made: ReadonlyMap<Platform, Promise<string | undefined>>,
  tag: string,
  request: SourcesRequest,
  sources: readonly IndexSource[],
): Promise<CheckedSources> {
  const { repository, planned, services } = request;
  try {
    const fresh = await checkedImages(made, request);
    const built = Object.fromEntries(
      [...made.keys()].map((platform) => [platform, digestOf(referenceOf(fresh, platform))]),
    );
    const now = await services.lookAgain(tag);
    if (now === undefined || now.digest === planned.plan.present?.digest) {
      return {
        built,
        references:
          planned.copiedIndex === undefined
            ? sources.map((source) =>
                source.kind === "build" ? referenceOf(fresh, source.platform) : literal(source, repository),
              )
            : [planned.copiedIndex],
      };
    }
    const missing = planned.plan.build.filter((platform) => !(platform in now.platforms));
    if (missing.length > 0 && now.rewriteLoses)
      throw new Error(`its index, which another run wrote meanwhile, would lose ${now.rewriteLoses.join("; ")}`);
    return {
      built,
      references: [`${repository}@${now.digest}`, ...missing.map((platform) => referenceOf(fresh, platform))],
    };
  } catch (error) {
    throw new pulumi.RunError(`${tag} is not written: ${reasonOf(error)}`);
  }
}

/** References by digest of the version's new images, when all are built or copied and have passed their checks. */
async function checkedImages(
  made: ReadonlyMap<Platform, Promise<string | undefined>>,
  { specification, repository, planned, services }: SourcesRequest,
): Promise<ReadonlyMap<Platform, string>> {
  const checks = planned.plan.build.map(async (platform): Promise<[Platform, string | undefined]> => {
    const image = planned.copies[platform] ?? (await made.get(platform));
    if (image === undefined) return [platform, undefined];
    const reference = planned.copies[platform] ?? `${repository}@${digestOf(image)}`;
    const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
    await services.check({ reference, platform, specification, planned, ...(recipe && { recipe }) });
    return [platform, reference];
  });
  // All are waited for, so that no check goes on after the version has failed.
  await Promise.allSettled(checks);
  const checked = await Promise.all(checks);
  const unbuilt = checked.filter(([, reference]) => reference === undefined).map(([platform]) => platform);
  if (unbuilt.length > 0) throw new Error(`the build for ${unbuilt.join(", ")} failed`);
  return new Map(checked.flatMap(([platform, reference]) => (reference === undefined ? [] : [[platform, reference]])));
}

function referenceOf(images: ReadonlyMap<Platform, string>, platform: Platform): string {
  const reference = images.get(platform);
  if (reference !== undefined) return reference;
  throw new Error(`the image for ${platform} is not among those built, which would be a mistake of the plan`);
}

/** A source that exists, as a reference. */
export function literal(source: IndexSource, repository: string): string {
  switch (source.kind) {
    case "recorded":
      return source.reference;
    case "existing":
      return `${repository}@${source.digest}`;
    case "build":
      throw new Error(`the image for ${source.platform} is not built yet`);
    default:
      return source satisfies never;
  }
}

/** The digest of a reference; one without a digest names whatever the tag holds and must never be used. */
export function digestOf(reference: string): Digest {
  const digest = digestIn(reference);
  if (digest) return digest;
  throw new Error(
    `the builder gave ${JSON.stringify(reference)}, which carries no digest; the push was probably refused`,
  );
}
