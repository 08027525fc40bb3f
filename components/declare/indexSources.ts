import * as pulumi from "@pulumi/pulumi";
import type { RecordedImage } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import type { IndexSource } from "../decide/versionPlan";
import { type Platform, type PerPlatform, platformEntries } from "../model/platform";
import type { PresentProbe } from "../model/probe";
import { digestIn } from "../model/reference";
import { reasonOf } from "../model/reasonOf";
import { safeText } from "../model/safeText";
import { type ImageRequest, type MadeImage, recordedImage } from "./recordedImage";
import type { VersionServices } from "./versionServices";

/** What the sources of a version's index are made from. */
export interface SourcesRequest extends ImageRequest {
  readonly services: ImageRequest["services"] & Pick<VersionServices, "lookAgain" | "seal">;
}

/** The sources of an index whose images all passed their checks. */
export interface CheckedSources {
  /** In order, each by digest. */
  readonly references: string[];
  /** The images built for it. */
  readonly built: PerPlatform<Digest>;
  /** The images that go into it beside those that are there, with their records. */
  readonly images: readonly RecordedImage[];
  /** Platforms the tag holds already. */
  readonly present: PerPlatform<Digest>;
}

/**
 * Checks every new image as soon as it is built, looks at the tag a last time, composes the sources and has every platform
 * manifest among them signed. Should another run have published in the meantime, the platforms it published stay: only what is
 * still missing is added.
 * @param made the images built in this run, as the provider names them; undefined for one whose build failed.
 * @throws RunError, which Pulumi prints without a stack trace, when an image must not get the tag; its cause says why in fewer words.
 */
export async function checkedSources(
  made: ReadonlyMap<Platform, Promise<MadeImage | undefined>>,
  tag: string,
  request: SourcesRequest,
  sources: readonly IndexSource[],
): Promise<CheckedSources> {
  const { repository, planned, services } = request;
  try {
    const fresh = await checkedImages(made, request);
    const built = Object.fromEntries(
      [...made.keys()].map((platform) => [platform, imageOf(fresh, platform).record.image.digest]),
    );
    const now = await services.lookAgain(tag);
    if (planned.copiedIndex === undefined) refuseShared(now?.platforms ?? {}, fresh);
    if (now === undefined || now.digest === planned.plan.present?.digest) {
      return await sealed(
        {
          built,
          images: planned.plan.build.map((platform) => imageOf(fresh, platform)),
          present: planned.plan.present ? heldBy(planned.plan.present) : surviving(planned),
          references:
            planned.copiedIndex === undefined
              ? sources.map((source) =>
                  source.kind === "build" ? referenceOf(fresh, source.platform) : literal(source, repository),
                )
              : [planned.copiedIndex],
        },
        request,
      );
    }
    const missing = planned.plan.build.filter((platform) => !(platform in now.platforms));
    if (missing.length > 0 && now.rewriteLoses)
      throw new Error(`its index, which another run wrote meanwhile, would lose ${now.rewriteLoses.join("; ")}`);
    return await sealed(
      {
        built,
        images: missing.map((platform) => imageOf(fresh, platform)),
        present: now.platforms,
        references: [`${repository}@${now.digest}`, ...missing.map((platform) => referenceOf(fresh, platform))],
      },
      request,
    );
  } catch (error) {
    const { specification, planned } = request;
    const message = `${specification.name} ${planned.version} is not written: ${safeText(reasonOf(error), 2000)}`;
    throw Object.assign(new pulumi.RunError(message), { cause: error });
  }
}

/** All platforms of which images exist, those too that cannot be pulled by way of this index and are listed anew. */
function heldBy({ platforms, misdescribed }: Pick<PresentProbe, "platforms" | "misdescribed">): PerPlatform<Digest> {
  return { ...misdescribed, ...platforms };
}

/** The images of an earlier run that its index, whose tag is gone, is put together from again. */
function surviving({ plan, managed }: ImageRequest["planned"]): PerPlatform<Digest> {
  const kept = platformEntries(managed?.platforms).filter(
    ([platform]) => plan.offers?.includes(platform) && !plan.build.includes(platform),
  );
  return Object.fromEntries(kept);
}

/**
 * The builder keeps one entry of an index for each manifest: of two platforms that share one, the other would be lost.
 * @throws Error that names them.
 */
function refuseShared(held: PerPlatform<Digest>, fresh: ReadonlyMap<Platform, RecordedImage>): void {
  const owners = new Map(platformEntries(held).map(([platform, digest]) => [digest, platform]));
  for (const [platform, { record }] of fresh) {
    if (platform in held) continue;
    const { digest } = record.image;
    const other = owners.get(digest);
    if (other !== undefined)
      throw new Error(`${platform} and ${other} share the manifest ${digest}: its index would name only one of them`);
    owners.set(digest, platform);
  }
}

/** The same once all that the index is to name is signed. */
async function sealed(
  sources: CheckedSources,
  { repository, planned, services }: SourcesRequest,
): Promise<CheckedSources> {
  const { images, present: kept } = sources;
  const { known } = planned;
  const adopted = planned.adopting ? planned.adopted : [];
  const own = sources.references.filter((reference) => reference.startsWith(`${repository}@`));
  await services.seal({
    ...{ repository, version: planned.version, images, kept, known, adopted },
    sources: own.flatMap((reference) => digestIn(reference) ?? []),
  });
  return sources;
}

/** The version's new images, when all are built, handed over or to be copied, and have passed their checks. */
async function checkedImages(
  made: ReadonlyMap<Platform, Promise<MadeImage | undefined>>,
  request: SourcesRequest,
): Promise<ReadonlyMap<Platform, RecordedImage>> {
  const checks = request.planned.plan.build.map(
    async (platform) => [platform, await recordedImage(platform, made.get(platform), request)] as const,
  );
  // All are waited for, so that no check goes on after the version has failed.
  await Promise.allSettled(checks);
  const checked = await Promise.all(checks);
  const unbuilt = checked.filter(([, image]) => image === undefined).map(([platform]) => platform);
  if (unbuilt.length > 0) throw new Error(`the build for ${unbuilt.join(", ")} failed`);
  return new Map(checked.flatMap(([platform, image]) => (image === undefined ? [] : [[platform, image]])));
}

function imageOf(images: ReadonlyMap<Platform, RecordedImage>, platform: Platform): RecordedImage {
  const image = images.get(platform);
  if (image !== undefined) return image;
  throw new Error(`the image for ${platform} is not among those made, which would be a mistake of the plan`);
}

/** Where an index takes the image from. */
function referenceOf(images: ReadonlyMap<Platform, RecordedImage>, platform: Platform): string {
  const { record } = imageOf(images, platform);
  return record.origin === "copied" ? record.from : `${record.image.repository}@${record.image.digest}`;
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
