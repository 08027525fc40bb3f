import { createHash } from "node:crypto";

/** A SHA-256 content digest as the OCI distribution specification writes it: `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** Whether a value is a well-formed SHA-256 digest. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && pattern.test(value);
}

/**
 * Reads a digest, or throws an Error naming the value.
 * Only SHA-256 is accepted: it is the one algorithm every registry and BuildKit produce.
 */
export function parseDigest(value: string): Digest {
  if (isDigest(value)) return value;
  throw new Error(`${JSON.stringify(value)} is not a digest; accepted is "sha256:" and 64 lower-case hex digits`);
}

/** The digest of bytes. */
export function digestOfBytes(bytes: Buffer): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The 64 hex digits of a digest. */
export function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}

/** The tag that lists what refers to a digest where a registry has no referrers API. Source: OCI distribution specification 1.1, "Referrers Tag Schema". */
export function referrersTag(digest: Digest): string {
  return `sha256-${hexOf(digest)}`;
}
