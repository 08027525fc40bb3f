import type { Signing } from "./attestConfig";

/** Signing that is switched on. */
export type ActiveSigning = Exclude<Signing, { readonly mode: "off" }>;

/** Which services signatures rest on, as far as checking them depends on it. */
export interface SigningServices {
  /** `--signing-config` and `--trusted-root`, as absolute paths; cosign's own (the public Sigstore, or TUF_*) where absent. */
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly transparencyLog: boolean;
  readonly timestamps: boolean;
}

/** What a keyless certificate must say: regular expressions. */
export interface ExpectedIdentity {
  readonly identity: string;
  readonly issuer: string;
}

const githubIssuer = "^https://token\\.actions\\.githubusercontent\\.com$";

/**
 * Arguments common to `cosign sign` and `cosign attest`. Passwords and tokens are never among them: cosign takes them
 * from the environment.
 */
export function signingArguments(signing: ActiveSigning, services: SigningServices): readonly string[] {
  // The flow "token" fails at once without a token; any other would open a browser or wait for a device code.
  const who = signing.mode === "key" ? ["--key", signing.key] : ["--fulcio-auth-flow", "token"];
  return [
    "--yes",
    ...who,
    ...option("--signing-config", services.signingConfig),
    ...option("--trusted-root", services.trustedRoot),
  ];
}

/** Arguments common to `cosign verify` and `cosign verify-attestation`. */
export function verificationArguments(
  who: { readonly publicKey: string } | ExpectedIdentity,
  services: SigningServices,
): readonly string[] {
  const expected =
    "publicKey" in who
      ? ["--key", who.publicKey]
      : ["--certificate-identity-regexp", who.identity, "--certificate-oidc-issuer-regexp", who.issuer];
  return [
    ...expected,
    ...option("--trusted-root", services.trustedRoot),
    ...(services.transparencyLog ? [] : ["--insecure-ignore-tlog"]),
    ...(services.timestamps ? ["--use-signed-timestamps"] : []),
  ];
}

/**
 * The identity expected of keyless signatures: as configured, or the workflows of the repository the run belongs to.
 * @throws Error when neither is known: anybody's signature would do.
 */
export function expectedIdentity(
  signing: Extract<Signing, { readonly mode: "keyless" }>,
  environment: NodeJS.ProcessEnv,
): ExpectedIdentity {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = environment;
  const own = server && repository ? `^${escape(`${server}/${repository}/.github/workflows/`)}` : undefined;
  const identity = signing.identity ?? own;
  if (identity === undefined) {
    throw new Error(
      "attest.signing.identity is not set, and GITHUB_REPOSITORY does not say whose signatures to accept; set one of them",
    );
  }
  return { identity, issuer: signing.issuer ?? githubIssuer };
}

function option(flag: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [flag, value];
}

function escape(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
