import * as pulumi from "@pulumi/pulumi";
import { digestOf } from "./indexSources";
import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import { settle } from "../engine/settled";
import { toBuild, type VersionImages } from "./versionImages";
import { failed, type VersionOutcome } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

type PlatformResult = { readonly image: readonly [Platform, Digest] } | { readonly reason: string };

/** Phase `build`: waits for every image and checks it, each by itself, as the platforms do not depend on each other. */
export async function buildOnly(
  { repository, specification, planned, services }: MirroredVersionArgs,
  images: VersionImages,
): Promise<VersionOutcome> {
  if (pulumi.runtime.isDryRun()) return { state: "pending" };
  if (planned.plan.problem !== undefined) return failed(planned, planned.plan.problem);
  const ended = toBuild(planned).map(async (platform): Promise<PlatformResult> => {
    try {
      const ref = await settle(images.of(platform));
      if (ref.state !== "known") throw new Error(`the build for ${platform} failed`);
      const digest = digestOf(ref.value);
      const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
      const reference = `${repository}@${digest}`;
      await services.check({ reference, platform, specification, planned, ...(recipe && { recipe }) });
      return { image: [platform, digest] };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  });
  const results = await Promise.all(ended);
  const built = results.flatMap((result) => ("image" in result ? [result.image] : []));
  const reasons = results.flatMap((result) => ("reason" in result ? [result.reason] : []));
  return {
    state: "built",
    images: Object.fromEntries(built),
    ...(reasons.length > 0 && { reason: reasons.join("; ") }),
  };
}
