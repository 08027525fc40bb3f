import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { cosignEnvironment, toolFailure } from "./tools";
import { reasonOf } from "../model/reasonOf";
import type { ExpectedCertificate, TextRule } from "../model/signer";
import type { ActiveSigning } from "../config/expectedSigner";
import { publicEvidence, readSigningConfig, type SigningEvidence } from "../config/attestConfig";
import type { RunProcess } from "../system/process";
import { literally } from "../model/quoting";

/** Which services signatures rest on, as far as checking them depends on it. */
export interface SigningServices extends SigningEvidence {
  /** `--signing-config` and `--trusted-root`, as absolute paths; cosign's own (the public Sigstore, or TUF_*) where absent. */
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
}

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

/** Arguments common to `cosign verify` and `cosign verify-attestation`. @param who a certificate, or a reference to a public key. */
export function verificationArguments(
  who: { readonly publicKey: string } | ExpectedCertificate,
  services: SigningServices,
): readonly string[] {
  return [
    ...("publicKey" in who ? ["--key", who.publicKey] : certificateArguments(who)),
    ...option("--trusted-root", services.trustedRoot),
    ...(services.transparencyLog ? [] : ["--insecure-ignore-tlog"]),
    ...(services.timestamps ? ["--use-signed-timestamps"] : []),
  ];
}

function certificateArguments({ subject, issuer, repository, refs }: ExpectedCertificate): readonly string[] {
  return [
    ...rule("--certificate-identity", subject),
    ...rule("--certificate-oidc-issuer", issuer),
    ...option("--certificate-github-workflow-repository", repository),
    // cosign takes one; of several the subject's are told apart.
    ...option("--certificate-github-workflow-ref", refs?.length === 1 ? refs[0] : undefined),
  ];
}

function rule(flag: string, text: TextRule): readonly string[] {
  if ("matching" in text) return [`${flag}-regexp`, text.matching];
  const [only, ...others] = text.exactly;
  if (only !== undefined && others.length === 0) return [flag, only];
  return [`${flag}-regexp`, `^(?:${text.exactly.map(literally).join("|")})$`];
}

function option(flag: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [flag, value];
}

/** What `cosign signing-config create` and `cosign trusted-root create` write when they are given no service. */
const noServices =
  '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}';
const noRoots = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

/**
 * Finds out which services signing uses, and puts the files cosign wants into place.
 * Without a signing config those of cosign: the public Sigstore, or what TUF_MIRROR and TUF_ROOT_JSON name.
 * @param root the project's root, to which paths in the configuration are relative.
 * @param directory where generated files go.
 * @throws Error when a signing config cannot be read.
 */
export async function signingServices(
  signing: ActiveSigning,
  root: string,
  directory: string,
): Promise<SigningServices> {
  const trustedRoot = signing.trustedRoot === undefined ? undefined : resolve(root, signing.trustedRoot);
  const trusted = trustedRoot !== undefined && { trustedRoot };
  if (signing.signingConfig === undefined) return { ...trusted, ...publicEvidence };
  const none = signing.signingConfig === "none";
  const signingConfig = none ? join(directory, "signing-config.json") : resolve(root, signing.signingConfig);
  if (none) await writeFile(signingConfig, noServices);
  const evidence = readSigningConfig(signingConfig);
  if (trusted || evidence.transparencyLog || evidence.timestamps) return { signingConfig, ...trusted, ...evidence };
  // Nothing is trusted but the key. Without a root cosign would ask the public Sigstore for its own, over the network.
  const empty = join(directory, "trusted-root.json");
  await writeFile(empty, noRoots);
  return { signingConfig, trustedRoot: empty, ...evidence };
}

/**
 * The public half of a key, as PEM, which cosign reads: from the key itself, whose password is COSIGN_PASSWORD, or out of a key
 * management service.
 * @throws Error when it cannot be had: then nobody knows whose signatures count.
 */
export async function askPublicKey(key: string, environment: NodeJS.ProcessEnv, run: RunProcess): Promise<string> {
  const argv = ["public-key", "--key", key];
  const own = cosignEnvironment(environment);
  const why = await run("cosign", argv, { environment: own, limitMs: 60_000 }).then(
    (result) => (result.status === 0 ? result : toolFailure("cosign", argv, result, own)),
    (error: unknown) => error,
  );
  if (typeof why === "object" && why !== null && "stdout" in why) return String(why.stdout);
  throw new Error(
    `whose signatures count cannot be told, as the public half of the key cannot be read; name it in attest.signing.publicKey: ${reasonOf(why)}`,
    { cause: why },
  );
}

const file = "/var/run/sigstore/cosign/oidc-token";
const variables = [
  "SIGSTORE_ID_TOKEN",
  "BUILDKITE_AGENT_ACCESS_TOKEN",
  "GOOGLE_SERVICE_ACCOUNT_NAME",
  "SPIFFE_ENDPOINT_SOCKET",
];

/**
 * Why this machine cannot sign keyless; undefined when it has a source of identity tokens cosign knows.
 * Asked before anything is started, as cosign would otherwise only notice after the work is done.
 */
export function missingIdentityToken(
  environment: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  const github = environment["ACTIONS_ID_TOKEN_REQUEST_URL"] && environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (github || variables.some((name) => environment[name]) || exists(file)) return undefined;
  const onGithub = environment["GITHUB_ACTIONS"] === "true" ? "; give the job `permissions: id-token: write`" : "";
  return (
    "keyless signing needs an OIDC identity token and this machine has none: neither ACTIONS_ID_TOKEN_REQUEST_URL and " +
    `ACTIONS_ID_TOKEN_REQUEST_TOKEN nor ${variables.join(", ")} is set, and there is no ${file}${onGithub}. ` +
    "Run it where there is one, or set attest.signing to a key or to off"
  );
}
