import { runContext } from "../model/runContext";
import { imageManifest } from "./baseRegistry";
import type { MirrorConfig } from "../config/mirrorConfig";
import { mirrorLabelPrefix } from "../decide/labels";
import type { RegistryClient } from "../registry/registryClient";
import { wantedAttestations } from "../config/attestConfig";
import { attestationStatus } from "./attestations";
import { expectedSigner } from "../config/expectedSigner";
import type { MissingAttestation } from "../decide/attestations";
import type { AttestConfig } from "../config/attestConfig";
import type { RunContext } from "../model/runContext";
import type { Digest } from "../model/digest";
import type { AttestedVersion } from "./attestations";

/**
 * What deciding about attestations reads, answered by the registry client.
 * @param startedOn when the run began, ISO 8601, UTC.
 */
export function attestationProbe(
  registry: RegistryClient,
  { attest }: Pick<MirrorConfig, "attest">,
  startedOn: string,
): AttestationProbe {
  return {
    config: attest,
    run: runContext(process.env, startedOn),
    missing: async (repository, version, buildKnown) => {
      if (attest.signing.mode === "off") return [];
      const wanted = wantedAttestations(attest, { buildKnown });
      const signer = await expectedSigner(attest.signing, process.cwd(), process.env);
      return attestationStatus(registry, repository, version, wanted, signer);
    },
    builtFrom: async (repository, digest) => {
      const manifest = await imageManifest(registry, `${repository}@${digest}`);
      const { labels } = await registry.imageConfig(repository, manifest);
      return `${mirrorLabelPrefix}.app` in labels ? labels["org.opencontainers.image.revision"] : undefined;
    },
  };
}

/** What deciding about attestations reads. */
export interface AttestationProbe {
  readonly config: AttestConfig;
  readonly run: RunContext;
  /** What the version lacks. Rejects when the registry gives no usable answer. */
  readonly missing: (
    repository: string,
    version: AttestedVersion,
    buildKnown: boolean,
  ) => Promise<readonly MissingAttestation[]>;
  /** The upstream commit the mirror's own label on an image names; undefined for images of others. */
  readonly builtFrom: (repository: string, platformDigest: Digest) => Promise<string | undefined>;
}
