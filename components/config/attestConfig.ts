import { z } from "zod";
import type { AttestationKind } from "../model/attestationKind";
import { boolean } from "./schemaParts";

const file = z
  .string()
  .refine((value) => value !== "" && !value.includes("\0"), "accepted is a file's path, without NUL");

/** Where the signing services come from: a file as `cosign signing-config create` writes it, or `none`: no transparency log and no time stamps. */
const services = { signingConfig: file.optional(), trustedRoot: file.optional() };

const pattern = z
  .string()
  .refine(isAnchored, "accepted is a regular expression that begins with ^, or it would match anywhere");

const key = z
  .string()
  .refine(isKey, "accepted is a file path, env://NAME, or a KMS URI (awskms, gcpkms, azurekms, hashivault, k8s)");

const signing = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("keyless"), identity: pattern.optional(), issuer: pattern.optional(), ...services }),
  z.strictObject({ mode: z.literal("key"), key, publicKey: key.optional(), ...services }),
  z.strictObject({ mode: z.literal("off") }),
]);

const settings = z.strictObject({
  signing: signing.default({ mode: "keyless" }),
  sbom: boolean.default(true),
  provenance: boolean.default(true),
  adopted: boolean.default(false),
});

/**
 * The stack config `attest`. The words `keyless` and `off` alone are accepted for the whole map.
 *
 * - `signing.mode`: `keyless` (OIDC), `key` (a file, `env://NAME` or a KMS URI; the password is COSIGN_PASSWORD) or `off`,
 *   which switches SBOM and provenance off as well, as nothing can be attested unsigned.
 * - `signing.identity`, `signing.issuer`: what a keyless certificate must say, as regular expressions. Default: workflows
 *   of the repository the run belongs to, and GitHub's issuer.
 * - `signing.signingConfig`, `signing.trustedRoot`: files of a private Sigstore. `signingConfig: none` uses no services.
 * - `adopted`: also sign what others published. Provenance is never written for those: nobody here saw the build.
 */
export const attestConfigSchema = z.union(
  [z.enum(["keyless", "off"]).transform((mode) => settings.parse({ signing: { mode } })), settings],
  `accepted is keyless, off, or a map of ${Object.keys(settings.shape).join(", ")}`,
);

/** The stack config `attest`, checked. Paths are relative to the project's root. Holds no secret. */
export type AttestConfig = z.output<typeof attestConfigSchema>;

/** How signatures are made and checked. */
export type Signing = AttestConfig["signing"];

/** Whether a text is a regular expression that can only match from the beginning. */
export function isAnchored(value: string): boolean {
  if (!value.startsWith("^")) return false;
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
}

/** A flag-like or remote key is refused: cosign would read the one as an option and fetch the other over the network. */
function isKey(value: string): boolean {
  if (value === "" || value.startsWith("-") || value.includes("\0")) return false;
  const scheme = /^([a-z0-9]+):\/\//i.exec(value)?.[1];
  if (scheme === undefined) return true;
  if (scheme === "env") return /^env:\/\/[A-Za-z_][A-Za-z0-9_]*$/.test(value);
  return ["awskms", "gcpkms", "azurekms", "hashivault", "k8s"].includes(scheme);
}

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
