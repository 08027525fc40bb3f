import type { AttestConfig } from "../config/attestConfig";
import type { MirrorConfig } from "../config/mirrorConfig";
import type { ExpectedSigner } from "../model/signer";
import type { RegistryClient } from "../registry/registryClient";
import { type AttachedLists, attachedLists, type AttestedVersion } from "./attestations";

/** What deciding about attestations reads. */
export interface AttestationProbe {
  readonly config: AttestConfig;
  /** What is attached to a version's digests, and what of it is ours. Rejects when the registry gives no usable answer. */
  readonly attached: (repository: string, version: AttestedVersion) => Promise<AttachedLists>;
}

/**
 * What deciding about attestations reads, answered by the registry client.
 * @param expected finds out whose signatures count; asked once, and only when there is something to look at.
 */
export function attestationProbe(
  registry: RegistryClient,
  { attest }: Pick<MirrorConfig, "attest">,
  expected: () => Promise<ExpectedSigner>,
): AttestationProbe {
  const { signing } = attest;
  let signer: Promise<ExpectedSigner> | undefined;
  return {
    config: attest,
    attached: async (repository, version) => {
      if (signing.mode === "off") return new Map();
      signer ??= expected();
      return attachedLists(registry, repository, version, await signer);
    },
  };
}
