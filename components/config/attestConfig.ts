import { readFileSync } from "node:fs";
import { z } from "zod";
import type { AttestationKind } from "../model/attestationKind";
import type { TextRule } from "../model/signer";
import { boolean } from "./schemaParts";

/** What signatures carry besides the certificate or key: without either, a keyless one is good for ten minutes. */
export interface SigningEvidence {
  readonly transparencyLog: boolean;
  readonly timestamps: boolean;
}

/** cosign's own services, the public Sigstore: a log, which says when as well. */
export const publicEvidence: SigningEvidence = { transparencyLog: true, timestamps: false };

const service = z.array(z.unknown()).nullish();
const schema = z.object({ rekorTlogUrls: service, tsaUrls: service });

/**
 * Reads which services a signing config names, a file as `cosign signing-config create` writes it.
 * @throws Error when the file cannot be read as one.
 */
export function readSigningConfig(path: string): SigningEvidence {
  try {
    const { rekorTlogUrls, tsaUrls } = schema.parse(JSON.parse(readFileSync(path, "utf8")));
    return { transparencyLog: (rekorTlogUrls ?? []).length > 0, timestamps: (tsaUrls ?? []).length > 0 };
  } catch (cause) {
    throw new Error(`${JSON.stringify(path)} is not readable as a Sigstore signing config`, { cause });
  }
}

const file = z
  .string()
  .refine((value) => value !== "" && !value.includes("\0"), "accepted is a file's path, without NUL");

/** Where the signing services come from: a file as `cosign signing-config create` writes it, or `none`: no transparency log and no time stamps. */
const services = { signingConfig: file.optional(), trustedRoot: file.optional() };

const rule = z
  .string()
  .refine(
    (value) => textRule(value) !== undefined,
    "accepted is a URL or an e-mail address, or a regular expression that begins with ^, without alternatives outside of brackets",
  );
/** A workflow of GitHub that signs: its repository, its file, and a ref it runs at. */
export const signingWorkflow = {
  repository: z
    .string()
    .regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/, "accepted is OWNER/NAME, the repository whose workflow signs"),
  workflow: z
    .string()
    .regex(
      /^\.github\/workflows\/[\w.-]+\.ya?ml$/,
      "accepted is a workflow's file, such as .github/workflows/mirror.yml",
    ),
  ref: z.string().regex(/^refs\/(heads|tags)\/[^\s~^:?*[\\]+$/, "accepted is a full ref, such as refs/heads/main"),
};

const keyless = z
  .strictObject({
    mode: z.literal("keyless"),
    repository: signingWorkflow.repository.optional(),
    workflow: signingWorkflow.workflow.optional(),
    refs: z.array(signingWorkflow.ref).min(1, "accepted is one ref or more").optional(),
    identity: rule.optional(),
    issuer: rule.optional(),
    ...services,
  })
  .superRefine(({ identity, workflow: file, signingConfig, trustedRoot }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (identity !== undefined && file !== undefined) refuse("workflow", "identity names the workflow already");
    if (signingConfig === "none") {
      refuse(
        "signingConfig",
        "keyless signing needs services for its certificates; accepted is the file of a private Sigstore",
      );
    } else if (signingConfig !== undefined && trustedRoot === undefined) {
      refuse(
        "signingConfig",
        "signatures of a private Sigstore verify with its trusted root only; set trustedRoot as well",
      );
    }
  });

const key = z
  .string()
  .refine(isKey, "accepted is a file path, env://NAME, or a KMS URI (awskms, gcpkms, azurekms, hashivault, k8s)");

const signing = z.discriminatedUnion("mode", [
  keyless,
  z.strictObject({ mode: z.literal("key"), key, publicKey: key.optional(), ...services }),
  z.strictObject({ mode: z.literal("off") }),
]);

const settings = z.strictObject({
  signing: signing.default({ mode: "keyless" }),
  sbom: boolean.prefault(true),
  provenance: boolean.prefault(true),
  adopted: boolean.prefault(false),
});

/**
 * The stack config `attest`. The words `keyless` and `off` alone are accepted for the whole map.
 *
 * - `signing.mode`: `keyless` (OIDC), `key` (a file, `env://NAME` or a KMS URI; the password is COSIGN_PASSWORD) or `off`,
 *   which switches SBOM and provenance off as well, as nothing can be attested unsigned.
 * - `signing.repository`, `signing.workflow`, `signing.refs`: the one workflow of GitHub whose keyless signatures count, and
 *   the refs it may run at. Default: `.github/workflows/mirror.yml` of the run's repository, at its default branch.
 * - `signing.identity`, `signing.issuer`: what a keyless certificate must say instead, exactly or as a regular expression.
 *   For signers other than a workflow. Default: that workflow, and GitHub's issuer.
 * - `signing.signingConfig`, `signing.trustedRoot`: files of a private Sigstore. `signingConfig: none` uses no services.
 * - `adopted`: take over and sign what others published, which the mirror record then says. Provenance is never written for those: nobody here saw the build.
 */
export const attestConfigSchema = z.union(
  [z.enum(["keyless", "off"]).transform((mode) => settings.parse({ signing: { mode } })), settings],
  `accepted is keyless, off, or a map of ${Object.keys(settings.shape).join(", ")}`,
);

/** The stack config `attest`, checked. Paths are relative to the project's root. Holds no secret. */
export type AttestConfig = z.output<typeof attestConfigSchema>;

/** How signatures are made and checked. */
export type Signing = AttestConfig["signing"];

/**
 * How a subject or issuer is written: as it is, where it is a URL or an e-mail address, or as a regular expression. That has to
 * begin with `^` and may have no alternative outside of brackets, or it would match anywhere; and Go has to know it as
 * well, as cosign is written in that. Undefined for anything else.
 */
export function textRule(value: string): TextRule | undefined {
  if (/^https?:\/\/[^\s^]+$|^[^\s@^/]+@[^\s@^/]+$/.test(value)) return { exactly: [value] };
  if (!value.startsWith("^") || !isExpression(value)) return undefined;
  const plain = value.replace(/\\[^]/g, "").replace(/\[\^?\]?[^\]]*\]/g, "");
  const onlyHere = /\\(?:[1-9]|k<)/.test(value) || /\(\?(?:[=!]|<[=!])/.test(plain);
  return onlyHere || hasBareAlternative(plain) ? undefined : { matching: value };
}

function isExpression(value: string): boolean {
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
}

function hasBareAlternative(plain: string): boolean {
  let depth = 0;
  return [...plain].some((character) => {
    if (character === "(") depth++;
    if (character === ")") depth--;
    return character === "|" && depth === 0;
  });
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
 * What the configuration asks for. Provenance is about a build somebody here saw, and the mirror's record about a version of
 * which it is known how it was put together.
 */
export function wantedAttestations(
  config: AttestConfig,
  { built, recorded }: { readonly built: boolean; readonly recorded: boolean },
): WantedAttestations {
  if (config.signing.mode === "off") return { index: [], platform: [] };
  const sbom = config.sbom ? (["sbom"] as const) : [];
  const provenance = config.provenance && built ? (["provenance"] as const) : [];
  // Always: it is what tells one signed version from another.
  const mirror = recorded ? (["mirror"] as const) : [];
  return { index: ["signature", ...sbom, ...provenance, ...mirror], platform: ["signature", ...sbom] };
}
