import type { AttestConfig } from "../config/attestConfig";
import { expectedCertificate } from "../probe/expectedSigner";
import { verificationArguments } from "./signing";
import { cosignTypes } from "../model/attestationKind";

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
    return verificationArguments(expectedCertificate(signing, environment), services);
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
  const quoted = arguments_.map(quote).join(" ");
  return [
    `cosign verify ${quoted} ${quote(reference)}`,
    ...Object.values(cosignTypes).map(
      (type) => `cosign verify-attestation ${quoted} --type ${type} ${quote(reference)}`,
    ),
  ];
}

/** For a POSIX shell. Never run by this project. */
function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
