import * as pulumi from "@pulumi/pulumi";
import { recordedImage, scannedImage } from "./recordedImage";
import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import type { VersionImages } from "./versionImages";
import { failed, type VersionOutcome } from "./versionOutcome";
import type { MirroredVersionArgs } from "./versionServices";

type PlatformResult = { readonly image: readonly [Platform, Digest] } | { readonly reason: string };

/** Phase `build`: waits for every image, checks it and hands it over with its record, each by itself, as the platforms do not depend on each other. */
export async function buildOnly(args: MirroredVersionArgs, images: VersionImages): Promise<VersionOutcome> {
  const { planned } = args;
  if (pulumi.runtime.isDryRun()) return { state: "pending" };
  if (planned.plan.problem !== undefined) return failed(planned, planned.plan.problem);
  const made = images.made();
  const ended = planned.plan.build.map(async (platform): Promise<PlatformResult> => {
    try {
      const image = await recordedImage(platform, made.get(platform), args);
      if (!image) throw new Error(`the build for ${platform} failed`);
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
