import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import type { PerPlatform } from "../model/platform";
import { upstreamSchema } from "../model/buildRecord";
import type { VersionRecord } from "../model/versionRecord";
import { checked } from "../config/problems";

const text = z.string().min(1);
const digest = z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits');
const platformEntry = z.strictObject({
  platform: text,
  digest,
  origin: z.enum(["built", "copied", "kept"]),
  from: text.optional(),
  adopted: z.literal(true).optional(),
});

const schema = z.strictObject({
  upstream: upstreamSchema,
  version: text,
  image: z.strictObject({ repository: text, tag: text, digest }),
  platforms: z.array(platformEntry).min(1),
  baseImages: z.array(z.strictObject({ reference: text, digest: digest.optional() })),
  project: z.strictObject({ repository: text, commit: text }).optional(),
});

/**
 * The mirror's own record, predicate type https://multiarch-mirror.github.io/predicate/mirror/v1: what was mirrored from
 * where, and how each platform came to be. Its JSON schema is `schemas/mirror-v1.schema.json`; a change that is not an
 * optional addition needs a `v2`.
 */
export type MirrorPredicate = z.output<typeof schema>;

/** The image a mirror record is about. */
export interface MirroredImageFacts {
  /** With the registry: `ghcr.io/owner/app`. */
  readonly repository: string;
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
}

/**
 * Writes the mirror's record of a version. A platform the index holds and the version's record does not name was there before.
 * @throws Error listing each field at fault by its path.
 */
export function mirrorPredicate(record: VersionRecord, image: MirroredImageFacts): MirrorPredicate {
  const bases = record.builds.flatMap((build) => build.bases);
  const project = record.builds.find((build) => build.project)?.project;
  const predicate = {
    upstream: record.upstream,
    version: record.version,
    image: { repository: image.repository, tag: record.tag, digest: image.digest },
    platforms: Object.entries(image.platforms).map(([platform, platformDigest]) => ({
      platform,
      digest: platformDigest,
      ...(record.platforms[platform] ?? { origin: "kept" }),
    })),
    baseImages: [...new Map(bases.map((base) => [JSON.stringify(base), base])).values()],
    ...(project && { project }),
  };
  return checked(schema, predicate, "not a mirror record");
}
