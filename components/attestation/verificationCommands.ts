import { cosignTypes } from "./attestationKind";

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
