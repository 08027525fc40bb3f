import type { AttestConfig } from "./attestConfig";
import type { AttestationKind } from "./attestationKind";

/** Which kinds a version must carry, on its index and on each platform manifest. */
export interface WantedAttestations {
  readonly index: readonly AttestationKind[];
  readonly platform: readonly AttestationKind[];
}

/**
 * What the configuration asks for. Provenance and the mirror's record need a known build; a version whose build
 * nobody here saw gets signatures and SBOMs only.
 */
export function wantedAttestations(
  config: AttestConfig,
  version: { readonly buildKnown: boolean },
): WantedAttestations {
  if (config.signing.mode === "off") return { index: [], platform: [] };
  const sbom = config.sbom ? (["sbom"] as const) : [];
  const provenance = config.provenance && version.buildKnown ? (["provenance", "mirror"] as const) : [];
  return { index: ["signature", ...sbom, ...provenance], platform: ["signature", ...sbom] };
}
