import { z } from "zod";
import { isDigest, type Digest } from "./digest";
import { type Platform, parsePlatform } from "./platform";

/** A name or a value of one line: it may end up in a message, and the names in a path. */
const text = z.string().regex(/^[^\x00-\x1f\x7f]{1,2000}$/, "accepted are 1 to 2000 characters of one line");
const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, "accepted is a name as registries take for tags");
const uri = z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/, "accepted is a URI with a scheme");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "accepted are 64 lower-case hex digits");
const commit = z
  .string()
  .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "accepted is a full commit, 40 or 64 lower-case hex digits");
const time = z.iso.datetime({ message: "accepted is a UTC time as 2026-01-31T12:00:00Z" });
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'accepted is "sha256:" and 64 lower-case hex digits')
  .refine((value): value is Digest => isDigest(value));
const platform = z
  .string()
  .refine((value): value is Platform => isPlatform(value), "accepted is a platform such as linux/arm64");

/** Where the source of a version comes from. */
export const upstreamSchema = z.strictObject({
  repository: uri,
  /** Name of the tag or branch, as upstream wrote it; the commit, where there is neither. */
  reference: text,
  kind: z.enum(["tag", "branch", "commit"]),
  commit,
});

/** What was looked at, and passed. */
const checks = z.strictObject({
  /** Executable files of the image's own layers, each for the image's platform. */
  programs: z.int().min(0),
  /** The command that was run in the image and answered as the app's file says. */
  smoke: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
  /** The file of the image that is byte for byte the one upstream published. */
  identical: z.strictObject({ path: text, url: uri, sha256 }).optional(),
});

const facts = {
  schemaVersion: z.literal(1, "accepted is 1"),
  app: name,
  version: name,
  /** The version's tag in the mirror. */
  tag: name,
  platform,
  /** `registry/namespace/name`, and the manifest of the platform. */
  image: z.strictObject({ repository: text, digest }),
  /** The SPDX document beside the record, by its name and checksum. */
  sbom: z.strictObject({ file: name, sha256 }).optional(),
  /** What ran the build, as SLSA has it. */
  builder: z.strictObject({ id: uri }),
  /** This project, whose files say how the app is built. */
  project: z.strictObject({ repository: uri, commit }).optional(),
  run: z.strictObject({ invocationId: uri.optional(), startedOn: time, finishedOn: time }),
};

const built = z.strictObject({
  origin: z.literal("built"),
  ...facts,
  checks,
  upstream: upstreamSchema,
  /** `path` is relative to the repository, or for one of the mirror's own Dockerfiles to the project. */
  dockerfile: z.strictObject({ path: text, owner: z.enum(["upstream", "mirror"]), sha256 }),
  /** The image that read the Dockerfile, where the Dockerfile names one. */
  frontend: z.strictObject({ reference: text, digest }).optional(),
  subdirectory: text.optional(),
  target: text.optional(),
  buildArguments: z.record(text, z.string()),
  /** FROM reference → what it was replaced with. */
  namedContexts: z.record(text, text),
  /** Every image the build was made from, the mirror's own among them. */
  bases: z.array(z.strictObject({ reference: text, digest })),
  /** Files fetched by the build, with their checksums where known. */
  files: z.array(z.strictObject({ url: uri, sha256 })),
});

/** `from`: upstream's own manifest, `name@sha256:…`. Nobody here saw how it was made. */
const copied = z.strictObject({ origin: z.literal("copied"), ...facts, checks, from: text });

/** An image that is published already, of which only the SBOM was made anew. */
const scanned = z.strictObject({ origin: z.literal("scanned"), ...facts });

/**
 * What a build run says about one image of one platform: how it came to be and that its checks passed. Public by nature: it
 * is signed and published, so it must hold no secret. Its JSON schema is `schemas/build-record-v1.schema.json`; any change
 * needs another `schemaVersion`, as unknown fields are refused.
 */
export const buildRecordSchema = z.discriminatedUnion("origin", [built, copied, scanned]);

/** A build record, checked. */
export type BuildRecord = z.output<typeof buildRecordSchema>;
/** What the record of any image says. */
export type ImageFacts = z.output<z.ZodObject<typeof facts>>;
/** The record of an image that was built. */
export type BuiltRecord = z.output<typeof built>;
/** What was looked at in an image, and passed. */
export type ChecksMade = z.output<typeof checks>;
/** The record of an image that was copied. */
export type CopiedRecord = z.output<typeof copied>;
/** An image with its record, and the path of the SPDX document whose checksum is the one in the record. */
export interface RecordedImage {
  readonly record: BuildRecord;
  readonly sbom?: string;
}
/** The record of an image that was built, as a schema. */
export const builtRecordSchema = built;

function isPlatform(value: string): boolean {
  try {
    return parsePlatform(value) === value;
  } catch {
    return false;
  }
}
