import type { MissingAttestation } from "./missingAttestation";

/**
 * What is done about a version's attestations in this run. `fresh`: its index is written in this run. `repair`: something
 * is missing. `keep`: complete, and declared as the state has it, so that nothing runs and no preview shows a delete.
 * `none`: no resource.
 */
export type AttestationMode = "fresh" | "repair" | "keep" | "none";

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
