import { z } from "zod";

const text = z.string().min(1);
const uri = z.string().regex(/^[a-z][a-z0-9+.-]*:\S+$/i, "accepted is a URI with a scheme");
const platform = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/, 'accepted is a platform such as "linux/arm64"');
const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'accepted is "sha256:" and 64 lower-case hex digits');
const time = z.iso.datetime({ message: "accepted is a UTC time as 2026-01-31T12:00:00Z" });
const commit = z
  .string()
  .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "accepted is a full commit, 40 or 64 lower-case hex digits");

/** What became of one platform: built here, copied from upstream's own image, or kept from an index that existed. */
const platformRecord = z.strictObject({ origin: z.enum(["built", "copied", "kept"]), from: text.optional() });

/**
 * What is known of how a version came to be: the raw material of its provenance and its mirror record.
 * Public by nature: it is signed and published, so it must hold no secret.
 */
export const buildRecordSchema = z.strictObject({
  version: text,
  tag: text,
  upstream: z.strictObject({ repository: uri, reference: text, kind: z.enum(["tag", "branch"]), commit }),
  /** `path` is relative to the context, or for one of the mirror's own Dockerfiles to the project. */
  dockerfile: z.strictObject({ path: text, owner: z.enum(["upstream", "mirror"]) }),
  subdirectory: text.optional(),
  target: text.optional(),
  /** Named contexts given to the build: FROM reference → what it was replaced with. */
  namedContexts: z.record(text, text).default({}),
  /** Build arguments by platform. */
  buildArguments: z.record(platform, z.record(text, z.string())).default({}),
  platforms: z
    .record(platform, platformRecord)
    .refine((value) => Object.keys(value).length > 0, "accepted is one platform or more"),
  /** Base images; without a digest where it is not known. */
  bases: z.array(z.strictObject({ reference: text, digest: sha256.optional() })).default([]),
  /** Files fetched by the build, with their checksums where known. */
  files: z
    .array(
      z.strictObject({
        url: uri,
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .optional(),
      }),
    )
    .default([]),
  builder: z.strictObject({ id: uri, version: z.record(text, text).optional() }),
  /** Written after the build, from what was still known: the changes made to the build may be more than those listed. */
  reconstructed: z.literal(true).optional(),
  /** The recipe: this project. */
  project: z.strictObject({ repository: uri, commit }).optional(),
  /** The run that built it. Left out when that is not known, rather than naming the run that attests. */
  run: z
    .strictObject({ invocationId: uri.optional(), startedOn: time.optional(), finishedOn: time.optional() })
    .optional(),
});

/** What is known of how a version came to be, checked. */
export type BuildRecord = z.output<typeof buildRecordSchema>;
/** A build record before its defaults are filled in. */
export type BuildRecordInput = z.input<typeof buildRecordSchema>;
