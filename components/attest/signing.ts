import type { Signing } from "../config/attestConfig";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { existsSync } from "node:fs";
import { toolFailure } from "./tools";
import type { RunTool } from "../system/process";

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

/** What `cosign signing-config create` and `cosign trusted-root create` write when they are given no service. */
const noServices =
  '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}';
const noRoots = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

const service = z.array(z.unknown()).nullish();
const schema = z.object({ rekorTlogUrls: service, tsaUrls: service });

/**
 * Finds out which services signing uses, and puts the files cosign wants into place.
 * Without a signing config those of cosign: the public Sigstore, or what TUF_MIRROR and TUF_ROOT name.
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
  if (signing.signingConfig === undefined) {
    return { ...(trustedRoot !== undefined && { trustedRoot }), transparencyLog: true, timestamps: false };
  }
  const none = signing.signingConfig === "none";
  const signingConfig = none ? join(directory, "signing-config.json") : resolve(root, signing.signingConfig);
  if (none) await writeFile(signingConfig, noServices);
  const { rekorTlogUrls, tsaUrls } = await read(signingConfig);
  const transparencyLog = (rekorTlogUrls ?? []).length > 0;
  const timestamps = (tsaUrls ?? []).length > 0;
  if (trustedRoot !== undefined || transparencyLog || timestamps || signing.mode === "keyless") {
    return { signingConfig, ...(trustedRoot !== undefined && { trustedRoot }), transparencyLog, timestamps };
  }
  // Nothing is trusted but the key. Without a root cosign would ask the public Sigstore for its own, over the network.
  const empty = join(directory, "trusted-root.json");
  await writeFile(empty, noRoots);
  return { signingConfig, trustedRoot: empty, transparencyLog, timestamps };
}

async function read(path: string): Promise<z.output<typeof schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(
      `attest.signing.signingConfig ${JSON.stringify(path)} is not readable as a Sigstore signing config`,
      { cause },
    );
  }
}

/** A key reference with its path made absolute; `env://` and KMS URIs stay as they are. */
export function resolveKey(key: string, root: string): string {
  return key.includes("://") ? key : resolve(root, key);
}

/**
 * The public key that belongs to the configured signing key: the one named, a KMS's own, the `.pub` beside a `.key`
 * file, or, as a last resort, derived with cosign.
 * @throws Error when it cannot be derived; the usual cause is a wrong COSIGN_PASSWORD.
 */
export async function publicKey(
  signing: Extract<Signing, { readonly mode: "key" }>,
  options: {
    readonly root: string;
    readonly directory: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly run: RunTool;
  },
): Promise<string> {
  const { root, directory, environment, run } = options;
  if (signing.publicKey !== undefined) return resolveKey(signing.publicKey, root);
  const key = resolveKey(signing.key, root);
  if (key.includes("://") && !key.startsWith("env://")) return key;
  const beside = key.replace(/\.key$/, ".pub");
  if (beside !== key && !key.includes("://") && existsSync(beside)) return beside;
  const file = join(directory, "cosign.pub");
  const argv = ["public-key", "--key", key, "--outfile", file];
  const result = await run("cosign", argv, { environment, directory, limitMs: 60_000 });
  if (result.status !== 0) throw toolFailure("cosign", argv, result, environment);
  return file;
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
