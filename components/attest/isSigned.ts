import type { Digest } from "../model/digest";
import { listAttestations } from "../probe/attestations";
import type { AttestEdges } from "./completeAttestations";

/**
 * Whether a digest carries a valid signature of ours, under a statement of any kind: cosign says so. Where nothing attached to it
 * even claims to be ours no process is started.
 * @throws when the registry or cosign gives no usable answer.
 */
export async function isSigned(
  repository: string,
  digest: Digest,
  { reader, signer, cosign }: Pick<AttestEdges, "reader" | "signer" | "cosign">,
): Promise<boolean> {
  const { counts } = await listAttestations(reader, repository, digest, signer);
  if (Object.values(counts).every((count) => count === 0)) return false;
  return Object.values(await cosign.verified(`${repository}@${digest}`)).some((count) => count > 0);
}
