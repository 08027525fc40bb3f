import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Signing } from "../config/attestConfig";
import type { ExpectedCertificate, ExpectedSigner } from "../model/signer";

/** Signing that is switched on. */
export type ActiveSigning = Exclude<Signing, { readonly mode: "off" }>;

const githubIssuer = "^https://token\\.actions\\.githubusercontent\\.com$";

/**
 * Whose signatures the stack takes for its own.
 * @param root the project's root, to which paths in the configuration are relative.
 * @throws Error when a public key cannot be read, or nothing says whose keyless signatures to accept.
 */
export async function expectedSigner(
  signing: ActiveSigning,
  root: string,
  environment: NodeJS.ProcessEnv,
): Promise<ExpectedSigner> {
  if (signing.mode === "keyless") return expectedCertificate(signing, environment);
  const reference = publicKeyAtHand(signing, root);
  return { publicKey: reference === undefined ? undefined : await readKey(reference, environment) };
}

/**
 * What keyless signatures must say: as configured, or the workflows of the repository the run belongs to.
 * @throws Error when neither is known: anybody's signature would do.
 */
export function expectedCertificate(
  signing: Extract<Signing, { readonly mode: "keyless" }>,
  environment: NodeJS.ProcessEnv,
): ExpectedCertificate {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = environment;
  const own = server && repository ? `^${escape(`${server}/${repository}/.github/workflows/`)}` : undefined;
  const identity = signing.identity ?? own;
  if (identity === undefined) {
    throw new Error(
      "attest.signing.identity is not set, and GITHUB_REPOSITORY does not say whose signatures to accept; set one of them",
    );
  }
  return { subject: { matching: identity }, issuer: { matching: signing.issuer ?? githubIssuer } };
}

/** Where the public half of the signing key is, as far as it can be had without asking a tool: a file or `env://NAME`. */
export function publicKeyAtHand(signing: Extract<Signing, { readonly mode: "key" }>, root: string): string | undefined {
  if (signing.publicKey !== undefined) return resolveKey(signing.publicKey, root);
  const key = resolveKey(signing.key, root);
  const beside = key.replace(/\.key$/, ".pub");
  return beside !== key && !key.includes("://") && existsSync(beside) ? beside : undefined;
}

/** A key reference with its path made absolute; `env://` and KMS URIs stay as they are. */
export function resolveKey(key: string, root: string): string {
  return key.includes("://") ? key : resolve(root, key);
}

async function readKey(reference: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = /^env:\/\/(.*)$/.exec(reference)?.[1];
  if (name !== undefined) return environment[name];
  if (reference.includes("://")) return undefined;
  try {
    return await readFile(reference, "utf8");
  } catch (cause) {
    throw new Error(`the public key ${JSON.stringify(reference)} cannot be read`, { cause });
  }
}

function escape(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
