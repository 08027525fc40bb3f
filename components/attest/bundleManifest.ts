import { z } from "zod";
import { type AttestationKind, predicateTypes } from "../model/attestationKind";
import { type Digest, digestOfBytes } from "../model/digest";
import { printable } from "../model/safeText";
import { bundleType, emptyType, predicateAnnotation } from "../probe/attachedAttestations";
import { type Manifest, ociImageType, parseManifest } from "../registry/manifest";

/** Something to be uploaded. */
export interface BlobContent {
  readonly digest: Digest;
  readonly content: Buffer;
}

/** A Sigstore bundle, as it is attached to an image. */
export interface BundleArtifact {
  readonly manifest: Manifest;
  readonly blob: BlobContent;
}

/** What the manifests of all bundles name beside the bundle. */
export const emptyConfiguration: BlobContent = blobOf(Buffer.from("{}"));

const bundleSchema = z.object({ mediaType: z.string().regex(bundleType) });

/**
 * The manifest that attaches a bundle to an image: what cosign 3.1 writes, to the byte, so that it does not matter to any reader who
 * wrote it.
 * @param made when the bundle was made.
 * @throws Error when it is no bundle.
 */
export function bundleManifest(subject: Manifest, kind: AttestationKind, bundle: Buffer, made: Date): BundleArtifact {
  const artifactType = typeOf(bundle);
  const blob = blobOf(bundle);
  const mediaType = ociImageType;
  const written = {
    schemaVersion: 2,
    mediaType,
    config: { ...describe(emptyType, emptyConfiguration), artifactType },
    layers: [describe(artifactType, blob)],
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      [predicateAnnotation]: predicateTypes[kind],
      "org.opencontainers.image.created": `${made.toISOString().slice(0, "2026-01-01T00:00:00".length)}Z`,
    },
    subject: describe(subject.mediaType, { digest: subject.digest, content: subject.bytes }),
    artifactType,
  };
  const headers = { contentType: mediaType, contentDigest: undefined, expected: undefined };
  return { blob, manifest: parseManifest("a bundle's manifest", Buffer.from(JSON.stringify(written)), headers) };
}

function typeOf(bundle: Buffer): string {
  const text = bundle.toString("utf8");
  try {
    return bundleSchema.parse(JSON.parse(text)).mediaType;
  } catch (cause) {
    throw new Error(`cosign made ${printable(text)}; accepted is a Sigstore bundle`, { cause });
  }
}

function blobOf(content: Buffer): BlobContent {
  return { content, digest: digestOfBytes(content) };
}

/** With its fields in cosign's order. */
function describe(
  mediaType: string,
  { digest, content }: BlobContent,
): { readonly mediaType: string; readonly size: number; readonly digest: Digest } {
  return { mediaType, size: content.length, digest };
}
