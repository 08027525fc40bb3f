import { resolve } from "node:path";
import { reasonOf } from "../model/reasonOf";
import type { AttestConfig } from "./attestConfig";
import { expectedCertificate, strangerProblem } from "./expectedSigner";
import { readSigningConfig } from "./signingConfig";

/** Where signatures are made and checked. */
export interface SigningPlace {
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the run may sign: a preview and a build do not. */
  readonly signs: boolean;
}

/**
 * Why signing as configured cannot work here, or cannot last, a line each; told before anything is built or signed, because it would
 * otherwise be noticed after the work is done, or when the signatures have expired.
 */
export function signingProblems(
  { signing }: AttestConfig,
  { root, environment, signs }: SigningPlace,
): readonly string[] {
  if (signing.mode === "off") return [];
  const { signingConfig } = signing;
  const problems = [
    signingConfig === undefined || signingConfig === "none"
      ? undefined
      : attempt(() => evidenceProblem(resolve(root, signingConfig), signing.mode)),
    attempt(() => {
      if (signing.mode === "keyless") expectedCertificate(signing, environment);
      return signs ? strangerProblem(signing, environment) : undefined;
    }),
  ];
  return problems.flatMap((problem) => (problem === undefined ? [] : [`multiarch-mirror:attest.signing: ${problem}`]));
}

function evidenceProblem(path: string, mode: "key" | "keyless"): string | undefined {
  const { transparencyLog, timestamps } = readSigningConfig(path);
  if (transparencyLog || timestamps || mode === "key") return undefined;
  return (
    `${JSON.stringify(path)} names neither a transparency log nor a timestamp authority, so that nothing says when a signature ` +
    "was made, and none verifies once its certificate has expired, after ten minutes; accepted is one with either"
  );
}

function attempt(find: () => string | undefined): string | undefined {
  try {
    return find();
  } catch (error) {
    return reasonOf(error);
  }
}
