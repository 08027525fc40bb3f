import type { Digest } from "../plan/digest";
import type { Platform } from "../plan/platform";
import type { AttestationKind } from "./attestationKind";

/** An attestation a version should carry and does not. */
export interface MissingAttestation {
  readonly digest: Digest;
  readonly kind: AttestationKind;
  /** The platform whose manifest (or whose SBOM) is meant; absent for what concerns the index as a whole. */
  readonly platform?: Platform;
}

/** In a few words, for previews and reports: `unsigned`, `no SBOM linux/arm64`, `no provenance`. */
export function describeMissing({ kind, platform }: MissingAttestation): string {
  const where = platform === undefined ? "" : ` ${platform}`;
  switch (kind) {
    case "signature":
      return `unsigned${where}`;
    case "sbom":
      return platform === undefined ? "no SBOM on the index" : `no SBOM${where}`;
    case "provenance":
      return `no provenance${where}`;
    case "mirror":
      return `no mirror record${where}`;
    default:
      return kind satisfies never;
  }
}
