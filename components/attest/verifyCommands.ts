import { resolve } from "node:path";
import { type AttestConfig, publicEvidence, readSigningConfig } from "../config/attestConfig";
import { expectedCertificate } from "../config/expectedSigner";
import { cosignTypes } from "../model/attestationKind";
import { shellWord } from "../model/quoting";
import { verificationArguments } from "./signing";

/**
 * The arguments with which anybody can verify what this stack signs, for the commands shown to people; undefined when nothing
 * is signed or it is not known whose signatures to accept. Where a private key signs, its public half has to be known.
 */
export function verifyHint(
  { signing }: Pick<AttestConfig, "signing">,
  environment: NodeJS.ProcessEnv,
): readonly string[] | undefined {
  if (signing.mode === "off") return undefined;
  const { trustedRoot, signingConfig } = signing;
  try {
    const evidence =
      signingConfig === undefined || signingConfig === "none"
        ? { ...publicEvidence, transparencyLog: signingConfig !== "none" }
        : readSigningConfig(resolve(signingConfig));
    const services = { ...(trustedRoot !== undefined && { trustedRoot }), ...evidence };
    if (signing.mode === "keyless") return verificationArguments(expectedCertificate(signing, environment), services);
    const { publicKey } = signing;
    return publicKey === undefined ? undefined : verificationArguments({ publicKey }, services);
  } catch {
    return undefined;
  }
}

/**
 * The plain cosign commands that verify an image, for people to paste into a shell: signature, SBOM, provenance and
 * mirror record.
 * @param reference by digest. @param arguments_ as `verificationArguments` gives them.
 */
export function verificationCommands(reference: string, arguments_: readonly string[]): readonly string[] {
  const quoted = arguments_.map(shellWord).join(" ");
  return [
    `cosign verify ${quoted} ${shellWord(reference)}`,
    ...Object.values(cosignTypes).map(
      (type) => `cosign verify-attestation ${quoted} --type ${type} ${shellWord(reference)}`,
    ),
  ];
}
