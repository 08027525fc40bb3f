import { z } from "zod";
import { type Digest, digestOfBytes, isDigest } from "../model/digest";
import { formatPlatform, type Platform } from "../model/platform";
import { RegistryError, UnreadableManifest } from "./registryError";

/** What an index or manifest says about another piece of content. Source: OCI image specification, `descriptor.md`. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Unset where there is none, or `unknown/unknown`, as build tools write for attestations. */
  readonly platform?: Platform;
  /** No platform is written at all, so that only the configuration tells it. */
  readonly unnamed?: true;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Common {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The very bytes the digest was computed from. */
  readonly bytes: Buffer;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
  /** The entity tag it came with, for a write that is to replace this and nothing newer. Weak ones are of no use there. */
  readonly entityTag?: string;
}

/** An OCI index or a Docker manifest list. */
export interface IndexManifest extends Common {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
  /** What it lists by other digests than SHA-256. */
  readonly otherDigests: readonly { readonly digest: string; readonly platform?: Platform }[];
}

/** An OCI or Docker manifest of one image or artifact. */
export interface ImageManifest extends Common {
  readonly kind: "image";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What a tag or digest in a registry names. */
export type Manifest = IndexManifest | ImageManifest;

/** The media type of an OCI index. */
export const ociIndexType = "application/vnd.oci.image.index.v1+json";
/** The media type of an OCI manifest. */
export const ociImageType = "application/vnd.oci.image.manifest.v1+json";
/** The media type of a Docker manifest list. */
export const dockerListType = "application/vnd.docker.distribution.manifest.list.v2+json";

const kinds: Readonly<Record<string, Manifest["kind"]>> = {
  [ociIndexType]: "index",
  [dockerListType]: "index",
  [ociImageType]: "image",
  "application/vnd.docker.distribution.manifest.v2+json": "image",
};

/** The media types read here, as an Accept header. */
export const acceptedManifests = Object.keys(kinds).join(", ");

/** Whether a media type, perhaps with parameters, is one of an index, an image or neither. */
export function manifestKind(mediaType: string | undefined): Manifest["kind"] | undefined {
  const type = mediaType?.split(";")[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

const name = /^[A-Za-z0-9._-]{1,64}$/;
const platformSchema = z.object({
  os: z.string().catch(""),
  architecture: z.string().catch(""),
  variant: z.string().optional().catch(undefined),
});
const annotationsSchema = z.record(z.string(), z.string()).nullish();
const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest),
  size: z.number().int().nonnegative(),
  platform: platformSchema.nullish(),
  artifactType: z.string().nullish(),
  annotations: annotationsSchema,
});
const commonSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().nullish(),
  artifactType: z.string().nullish(),
  subject: descriptorSchema.nullish(),
  annotations: annotationsSchema,
});
/** A digest of another algorithm. Source: OCI image specification, `descriptor.md`, "Digests". */
const otherDigest = z.string().regex(/^(?!sha256:)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,256}$/);
// Go writes an empty list as null.
const indexSchema = commonSchema.extend({
  manifests: z.array(descriptorSchema.or(descriptorSchema.extend({ digest: otherDigest }))).nullable(),
});
const imageSchema = commonSchema.extend({ config: descriptorSchema, layers: z.array(descriptorSchema).nullable() });

/** How a body came: its Content-Type, the digest the registry claims and the one that was asked for. */
export interface ManifestHeaders {
  readonly contentType: string | undefined;
  readonly contentDigest: string | undefined;
  readonly expected: Digest | undefined;
}

/**
 * Reads a manifest's body. The digest is computed from the bytes; the one asked for and the one the registry claims
 * must both equal it.
 * @param what the reference, for messages.
 * @throws RegistryError (malformed) when the body is not an OCI or Docker index or manifest, or is another than asked for;
 * {@link UnreadableManifest} when it is the one asked for by its digest.
 */
export function parseManifest(what: string, bytes: Buffer, headers: ManifestHeaders): Manifest {
  const digest = digestOfBytes(bytes);
  for (const claimed of [headers.expected, headers.contentDigest]) {
    if (claimed !== undefined && claimed !== digest) {
      throw malformed(what, `the body has digest ${digest}, not ${JSON.stringify(claimed)}`);
    }
  }
  const manifest = readBody(what, bytes, { ...headers, digest });
  const outer = manifestKind(headers.contentType);
  if (outer !== undefined && outer !== manifest.kind) {
    const said = JSON.stringify(headers.contentType);
    throw malformed(what, `Content-Type ${said} contradicts the body's ${JSON.stringify(manifest.mediaType)}`);
  }
  return manifest;
}

function readBody(what: string, bytes: Buffer, headers: ManifestHeaders & { readonly digest: Digest }): Manifest {
  try {
    const body = parseJson(what, bytes);
    if (typeof body !== "object" || body === null) throw malformed(what, "the answer is not a JSON object");
    const inner = "mediaType" in body && typeof body.mediaType === "string" ? body.mediaType : undefined;
    const outerType = headers.contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
    const mediaType = inner ?? (generic.has(outerType) ? typeByShape(body) : undefined) ?? outerType;
    const kind = manifestKind(mediaType);
    if (!kind) throw malformed(what, `media type ${JSON.stringify(mediaType)} is none of ${acceptedManifests}`);
    const foreign = kind === "index" ? ["layers", "config"] : ["manifests"];
    // One body read as two things is how a different image gets past a check (CVE-2021-41190).
    if (foreign.some((field) => Object.hasOwn(body, field))) {
      throw malformed(what, `an ${kind} with any of ${foreign.join(", ")} is two things at once`);
    }
    const read = { digest: headers.digest, mediaType, bytes };
    return kind === "index"
      ? toIndex(check(what, indexSchema, body), read)
      : toImage(check(what, imageSchema, body), read);
  } catch (error) {
    if (headers.expected === undefined || !(error instanceof RegistryError)) throw error;
    throw new UnreadableManifest(error.kind, error.message, { status: 200, cause: error });
  }
}

/** Types that say nothing about what they describe. */
const generic = new Set(["", "application/json", "application/octet-stream", "text/plain"]);

/** OCI's media type for what looks like an index or manifest and does not say what it is, as it need not. */
function typeByShape(body: object): string | undefined {
  if (Object.hasOwn(body, "manifests")) return ociIndexType;
  return Object.hasOwn(body, "layers") ? ociImageType : undefined;
}

function toIndex(
  body: z.infer<typeof indexSchema>,
  read: Pick<Common, "digest" | "mediaType" | "bytes">,
): IndexManifest {
  const manifests: Descriptor[] = [];
  const otherDigests: { digest: string; platform?: Platform }[] = [];
  for (const child of body.manifests ?? []) {
    const { digest, platform } = child;
    const named = platform ? toPlatform(platform) : undefined;
    if (isDigest(digest)) manifests.push(toDescriptor({ ...child, digest }));
    else otherDigests.push({ digest, ...(named && { platform: named }) });
  }
  return { kind: "index", ...read, ...common(body), manifests, otherDigests };
}

function toImage(
  body: z.infer<typeof imageSchema>,
  read: Pick<Common, "digest" | "mediaType" | "bytes">,
): ImageManifest {
  return {
    kind: "image",
    ...read,
    ...common(body),
    config: toDescriptor(body.config),
    layers: (body.layers ?? []).map(toDescriptor),
  };
}

function common({ artifactType, subject, annotations }: z.infer<typeof commonSchema>) {
  return {
    ...(artifactType && { artifactType }),
    ...(subject && { subject: toDescriptor(subject) }),
    annotations: annotations ?? {},
  };
}

function toDescriptor(raw: z.infer<typeof descriptorSchema>): Descriptor {
  const { mediaType, digest, size, artifactType, annotations } = raw;
  const platform = raw.platform ? toPlatform(raw.platform) : undefined;
  const unnamed = !platform && !isUnknown(raw.platform);
  const optional = { ...(platform ? { platform } : unnamed && { unnamed }), ...(artifactType && { artifactType }) };
  return { mediaType, digest, size, ...optional, annotations: annotations ?? {} };
}

function toPlatform({ os, architecture, variant }: z.infer<typeof platformSchema>): Platform | undefined {
  if (![os, architecture, ...(variant ? [variant] : [])].every((part) => name.test(part))) return undefined;
  if (isUnknown({ os, architecture })) return undefined;
  return formatPlatform({ os, architecture, ...(variant && { variant }) });
}

function isUnknown(platform: { readonly os: string; readonly architecture: string } | null | undefined): boolean {
  return platform?.os === "unknown" || platform?.architecture === "unknown";
}

function check<T>(what: string, schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // What does not fit the usual form is told, where another form is accepted as well.
  const inner = issue?.code === "invalid_union" ? issue.errors[0]?.[0] : undefined;
  const path = [...(issue?.path ?? []), ...(inner?.path ?? [])].join(".");
  throw malformed(what, `${JSON.stringify(path)}: ${(inner ?? issue)?.message ?? "not accepted"}`);
}

function parseJson(what: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    const start = JSON.stringify(bytes.subarray(0, 80).toString("utf8"));
    throw new RegistryError("malformed", `cannot read ${what}: the answer is not JSON, it begins ${start}`, {
      cause,
      status: 200,
    });
  }
}

function malformed(what: string, fault: string): RegistryError {
  return new RegistryError("malformed", `cannot read ${what}: ${fault}`, { status: 200 });
}
