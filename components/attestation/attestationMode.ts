import type { AttestationMode } from "../plan/attestationMode";
import type { MissingAttestation } from "./missingAttestation";

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
