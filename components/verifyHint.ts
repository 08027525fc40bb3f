import type { AttestConfig } from "./attestation/attestConfig";
import { expectedIdentity, verificationArguments } from "./attestation/signingArguments";

/**
 * The arguments with which anybody can verify what this stack signs, for the commands shown to people; undefined when nothing
 * is signed or it is not known whose signatures to accept. Where a private key signs, its public half has to be known.
 */
export function verifyHint(
  { signing }: Pick<AttestConfig, "signing">,
  environment: NodeJS.ProcessEnv,
): readonly string[] | undefined {
  if (signing.mode === "off") return undefined;
  const { trustedRoot } = signing;
  const services = {
    ...(trustedRoot !== undefined && { trustedRoot }),
    transparencyLog: signing.signingConfig !== "none",
    timestamps: false,
  };
  if (signing.mode === "key") {
    return signing.publicKey === undefined
      ? undefined
      : verificationArguments({ publicKey: signing.publicKey }, services);
  }
  try {
    return verificationArguments(expectedIdentity(signing, environment), services);
  } catch {
    return undefined;
  }
}
