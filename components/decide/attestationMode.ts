import type { AttestationMode } from "./appPlan";
import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { AttestationKind } from "../model/attestationKind";

/** What the mode depends on. */
export interface AttestationFacts {
  /** The version's index is written in this run. */
  readonly changes: boolean;
  /** What the registry lacks; undefined when it gave no usable answer, which is not "missing". */
  readonly missing: readonly MissingAttestation[] | undefined;
  /** An earlier run declared the resource, as its record says. */
  readonly declaredBefore: boolean;
  /** This mirror published the version, or the stack config says to sign what others published. */
  readonly ours: boolean;
}

/** Decides the mode. Signing that is switched off asks for nothing, so that nothing is missing. */
export function attestationMode({ changes, missing, declaredBefore, ours }: AttestationFacts): AttestationMode {
  if (changes) return "fresh";
  if (ours && missing !== undefined && missing.length > 0) return "repair";
  return declaredBefore ? "keep" : "none";
}

/** An attestation a version should carry and does not. */
export interface MissingAttestation {
  readonly digest: Digest;
  readonly kind: AttestationKind;
  /** The platform whose manifest (or whose SBOM) is meant; absent for what concerns the index as a whole. */
  readonly platform?: Platform;
  /** One of this kind is there, signed, and about something else. */
  readonly wrong?: true;
}

/** In a few words, for previews and reports: `unsigned`, `no SBOM linux/arm64`, `no provenance`. */
export function describeMissing({ kind, platform, wrong }: MissingAttestation): string {
  const where = platform === undefined ? "" : ` ${platform}`;
  switch (kind) {
    case "signature":
      return `unsigned${where}`;
    case "sbom":
      return platform === undefined ? "no SBOM on the index" : `${wrong ? "SBOM of another image" : "no SBOM"}${where}`;
    case "provenance":
      return `no provenance${where}`;
    case "mirror":
      return `no mirror record${where}`;
    default:
      return kind satisfies never;
  }
}
