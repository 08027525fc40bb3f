/** A text that has to be one of some, or has to match a regular expression that begins with `^`. */
export type TextRule = { readonly exactly: readonly string[] } | { readonly matching: string };

/** What the certificate of a keyless signature must say. */
export interface ExpectedCertificate {
  /** The workflow file at its ref, or whatever else the issuer makes the subject of its certificates. */
  readonly subject: TextRule;
  readonly issuer: TextRule;
  /** `OWNER/NAME` the signing workflow ran for; not looked at where absent, as issuers other than GitHub's name none. */
  readonly repository?: string;
  /** Git refs of which the workflow may have run at one; not looked at where absent. */
  readonly refs?: readonly string[];
  /** Certificates of the authorities of which one must have issued it, DER in base64; not looked at where absent. */
  readonly authorities?: readonly string[];
}

/** A public key as PEM. */
interface ExpectedKey {
  readonly publicKey: string;
}

/** Whose signatures count as ours. */
export type ExpectedSigner = ExpectedCertificate | ExpectedKey;

/**
 * What a certificate says about its signer. The repository, ref, run and workflow are those of Fulcio's extensions
 * (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md), and absent in certificates of other issuers.
 */
export interface CertificateSigner {
  readonly subject: string;
  readonly issuer: string;
  /** `OWNER/NAME`. */
  readonly repository?: string;
  readonly ref?: string;
  /** The commit the workflow ran at. */
  readonly commit?: string;
  /** Address of the run. */
  readonly run?: string;
  /** The workflow whose job signed, at its ref: what the provenance calls the builder. */
  readonly workflow?: string;
}

/** Whether a text satisfies a rule. */
export function satisfies(rule: TextRule, text: string): boolean {
  return "exactly" in rule ? rule.exactly.includes(text) : new RegExp(rule.matching).test(text);
}

/** In what a certificate differs from the one expected, in a few words; undefined when it is that one. */
export function certificateProblem(expected: ExpectedCertificate, found: CertificateSigner): string | undefined {
  const { subject, issuer, repository, refs } = expected;
  if (!satisfies(subject, found.subject)) return `signed by ${JSON.stringify(found.subject)}`;
  if (!satisfies(issuer, found.issuer)) return `its issuer is ${JSON.stringify(found.issuer)}`;
  if (repository !== undefined && found.repository !== repository) {
    return `signed for the repository ${JSON.stringify(found.repository ?? "")}`;
  }
  if (refs !== undefined && !refs.includes(found.ref ?? "")) return `signed at ${JSON.stringify(found.ref ?? "")}`;
  return undefined;
}
