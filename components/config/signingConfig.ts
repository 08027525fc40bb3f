import { readFileSync } from "node:fs";
import { z } from "zod";

/** What signatures carry besides the certificate or key: without either, a keyless one is good for ten minutes. */
export interface SigningEvidence {
  readonly transparencyLog: boolean;
  readonly timestamps: boolean;
}

/** cosign's own services, the public Sigstore: a log, which says when as well. */
export const publicEvidence: SigningEvidence = { transparencyLog: true, timestamps: false };

const service = z.array(z.unknown()).nullish();
const schema = z.object({ rekorTlogUrls: service, tsaUrls: service });

/**
 * Reads which services a signing config names, a file as `cosign signing-config create` writes it.
 * @throws Error when the file cannot be read as one.
 */
export function readSigningConfig(path: string): SigningEvidence {
  try {
    const { rekorTlogUrls, tsaUrls } = schema.parse(JSON.parse(readFileSync(path, "utf8")));
    return { transparencyLog: (rekorTlogUrls ?? []).length > 0, timestamps: (tsaUrls ?? []).length > 0 };
  } catch (cause) {
    throw new Error(`${JSON.stringify(path)} is not readable as a Sigstore signing config`, { cause });
  }
}
