/** What the mirror attaches to a digest: a signature, a bill of materials, build provenance, and the mirror's own record. */
export type AttestationKind = "signature" | "sbom" | "provenance" | "mirror";

/**
 * in-toto predicate types by kind, as cosign v3 writes them into its bundles. A signature is a bundle like the others,
 * with a predicate type of its own; `cosign verify` accepts a bundle of *any* type, so the type must be looked at.
 */
export const predicateTypes = {
  signature: "https://sigstore.dev/cosign/sign/v1",
  sbom: "https://spdx.dev/Document",
  provenance: "https://slsa.dev/provenance/v1",
  mirror: "https://multiarch-mirror.github.io/predicate/mirror/v1",
} as const satisfies Record<AttestationKind, string>;

/** What `cosign attest --type` and `cosign verify-attestation --type` call the kinds. */
export const cosignTypes = {
  sbom: "spdxjson",
  provenance: "slsaprovenance1",
  mirror: predicateTypes.mirror,
} as const satisfies Record<Exclude<AttestationKind, "signature">, string>;

/** The kind of a predicate type; undefined for what other tools attach. */
export function kindOf(predicateType: unknown): AttestationKind | undefined {
  const kinds = Object.keys(predicateTypes) as AttestationKind[];
  return kinds.find((kind) => predicateTypes[kind] === predicateType);
}
