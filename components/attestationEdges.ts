import { attestationStatus } from "./attestation/attestationStatus";
import { runContext } from "./attestation/runContext";
import { wantedAttestations } from "./attestation/wantedAttestations";
import { imageManifest } from "./baseRegistry";
import type { MirrorConfig } from "./config/mirrorConfig";
import { mirrorLabelPrefix } from "./plan/labels";
import type { RegistryClient } from "./registry/registryClient";
import type { AttestationEdges } from "./survey/surveyAttestation";

/** What deciding about attestations reads, answered by the registry client. */
export function attestationEdges(registry: RegistryClient, { attest }: Pick<MirrorConfig, "attest">): AttestationEdges {
  return {
    config: attest,
    run: runContext(process.env, new Date().toISOString()),
    missing: (repository, version, buildKnown) =>
      attestationStatus(registry, repository, version, wantedAttestations(attest, { buildKnown })),
    builtFrom: async (repository, digest) => {
      const manifest = await imageManifest(registry, `${repository}@${digest}`);
      const { labels } = await registry.imageConfig(repository, manifest);
      return `${mirrorLabelPrefix}.app` in labels ? labels["org.opencontainers.image.revision"] : undefined;
    },
  };
}
