import { z } from "zod";
import { builtRecordSchema, upstreamSchema } from "./buildRecord";

const text = z.string().min(1);
const platform = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/, 'accepted is a platform such as "linux/arm64"');

/**
 * What became of one platform: built by this mirror, copied from upstream's own image, or kept from the index that was there.
 * `adopted`: others published it, and nobody here saw how it was made.
 */
const platformRecord = z.strictObject({
  origin: z.enum(["built", "copied", "kept"]),
  from: text.optional(),
  adopted: z.literal(true).optional(),
});

/**
 * How one version was put together, out of the records of its images: all that its provenance and its mirror record are
 * written from.
 */
export const versionRecordSchema = z.strictObject({
  version: text,
  /** The version's tag in the mirror. */
  tag: text,
  /** The release the version stands for. */
  upstream: upstreamSchema,
  platforms: z
    .record(platform, platformRecord)
    .refine((value) => Object.keys(value).length > 0, "accepted is one platform or more"),
  /** The images that were built for it. None: nothing is claimed about a build. */
  builds: z.array(builtRecordSchema),
});

/** The record of a version, checked. */
export type VersionRecord = z.output<typeof versionRecordSchema>;
