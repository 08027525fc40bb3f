import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Signing, textRule } from "./attestConfig";
import { z } from "zod";
import { type ExpectedCertificate, type ExpectedSigner, satisfies, type TextRule } from "../model/signer";

/** Signing that is switched on. */
export type ActiveSigning = Exclude<Signing, { readonly mode: "off" }>;

/** Keyless signing. */
export type KeylessSigning = Extract<Signing, { readonly mode: "keyless" }>;

/** The issuer of the tokens GitHub gives its runs. */
export const githubIssuer = "https://token.actions.githubusercontent.com";
/** The workflow that publishes and signs, unless another one is named. */
export const mirrorWorkflow = ".github/workflows/mirror.yml";

/** What has to be asked for elsewhere. */
export interface SignerSources {
  /** The public half of a key, as PEM, which only a key management service or the private key has. */
  readonly publicKey: (key: string) => Promise<string>;
  /** The authorities of the Sigstore that is used when the stack names none, DER in base64. */
  readonly authorities: () => Promise<readonly string[]>;
}

/**
 * Whose signatures the stack takes for its own.
 * @param root the project's root, to which paths in the configuration are relative.
 * @throws Error when a public key cannot be read, or nothing says whose keyless signatures to accept: anybody's would do.
 */
export async function expectedSigner(
  signing: ActiveSigning,
  root: string,
  environment: NodeJS.ProcessEnv,
  outside: SignerSources,
): Promise<ExpectedSigner> {
  if (signing.mode === "keyless") {
    const expected = expectedCertificate(signing, environment);
    const { trustedRoot } = signing;
    const authorities = trustedRoot === undefined ? outside.authorities() : readAuthorities(resolve(root, trustedRoot));
    return { ...expected, authorities: await authorities };
  }
  const reference = publicKeyAtHand(signing, root);
  const atHand = reference === undefined ? undefined : await readPublicKey(reference, environment);
  return { publicKey: atHand ?? (await outside.publicKey(reference ?? resolveKey(signing.key, root))) };
}

/**
 * What keyless signatures must say: one workflow at its repository's default branch, or as configured.
 * @throws Error when nothing says whose: anybody's signature would do.
 */
export function expectedCertificate(signing: KeylessSigning, environment: NodeJS.ProcessEnv): ExpectedCertificate {
  const { repository = environment["GITHUB_REPOSITORY"], workflow = mirrorWorkflow, refs } = signing;
  const issuer = textRule(signing.issuer ?? githubIssuer);
  const subject = signing.identity === undefined ? undefined : textRule(signing.identity);
  if (issuer === undefined) throw new Error(`no issuer is ${JSON.stringify(signing.issuer)}`);
  if (subject !== undefined) {
    return { subject, issuer, ...(signing.repository && { repository: signing.repository }), ...(refs && { refs }) };
  }
  if (!repository) {
    throw new Error(
      "whose keyless signatures count is not known here: set attest.signing.repository to OWNER/NAME, or attest.signing.identity",
    );
  }
  return workflowAt({ repository, workflow, refs: refs ?? [defaultRef(environment)] }, issuer, environment);
}

const rootSchema = z.looseObject({
  certificateAuthorities: z
    .array(
      z.looseObject({ certChain: z.looseObject({ certificates: z.array(z.looseObject({ rawBytes: z.string() })) }) }),
    )
    .default([]),
});

/** The authorities in a trusted root, a file as `cosign trusted-root create` writes it. */
async function readAuthorities(path: string): Promise<readonly string[]> {
  try {
    return authoritiesIn(await readFile(path, "utf8"));
  } catch (cause) {
    throw new Error(`attest.signing.trustedRoot ${JSON.stringify(path)} is not readable as a Sigstore trusted root`, {
      cause,
    });
  }
}

/** The certificates of the authorities in the text of a trusted root, DER in base64. @throws Error when it is none. */
export function authoritiesIn(trustedRoot: string): readonly string[] {
  const { certificateAuthorities } = rootSchema.parse(JSON.parse(trustedRoot));
  return certificateAuthorities.flatMap(({ certChain }) => certChain.certificates.map(({ rawBytes }) => rawBytes));
}

/** The certificates of a workflow's runs at some refs. */
export function workflowAt(
  {
    repository,
    workflow,
    refs,
  }: { readonly repository: string; readonly workflow: string; readonly refs: readonly string[] },
  issuer: TextRule,
  environment: NodeJS.ProcessEnv,
): ExpectedCertificate {
  const file = `${serverOf(environment)}/${repository}/${workflow}`;
  return { subject: { exactly: refs.map((ref) => `${file}@${ref}`) }, issuer, repository, refs };
}

/**
 * Why what a run of GitHub Actions signs would not count: it is another workflow's, or at another ref. Undefined when it would, and
 * where that cannot be told beforehand.
 */
export function strangerProblem(signing: Signing, environment: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_WORKFLOW_REF: workflow, GITHUB_REPOSITORY: repository, GITHUB_REF: ref } = environment;
  if (signing.mode !== "keyless" || !workflow || !repository || !ref) return undefined;
  const expected = expectedCertificate(signing, environment);
  const { subject, repository: expectedRepository = repository, refs = [ref] } = expected;
  const known = signing.identity !== undefined || satisfies(subject, `${serverOf(environment)}/${workflow}`);
  if (known && expectedRepository === repository && refs.includes(ref)) return undefined;
  const accepted = "exactly" in subject ? subject.exactly : refs;
  return (
    `what ${workflow} signs at ${ref} would not verify; accepted is ${accepted.join(" or ")}. ` +
    "Run it there, or say otherwise in attest.signing: repository, workflow, refs"
  );
}

function serverOf({ GITHUB_SERVER_URL: server }: NodeJS.ProcessEnv): string {
  return server || "https://github.com";
}

/** The default branch of the run's repository, as GitHub tells it in the event; a schedule runs nowhere else. */
function defaultRef({ GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: file, GITHUB_REF: ref }: NodeJS.ProcessEnv): string {
  if (event === "schedule" && ref) return ref;
  try {
    const told = eventSchema.parse(JSON.parse(readFileSync(file ?? "", "utf8")));
    return `refs/heads/${told.repository.default_branch}`;
  } catch {
    return "refs/heads/main";
  }
}

const eventSchema = z.object({ repository: z.object({ default_branch: z.string().min(1) }) });

/** Where the public half of the signing key is, as far as it can be had without asking a tool: a file or `env://NAME`. */
function publicKeyAtHand(signing: Extract<Signing, { readonly mode: "key" }>, root: string): string | undefined {
  if (signing.publicKey !== undefined) return resolveKey(signing.publicKey, root);
  const key = resolveKey(signing.key, root);
  const beside = key.replace(/\.key$/, ".pub");
  return beside !== key && !key.includes("://") && existsSync(beside) ? beside : undefined;
}

/** A key reference with its path made absolute; `env://` and KMS URIs stay as they are. */
export function resolveKey(key: string, root: string): string {
  return key.includes("://") ? key : resolve(root, key);
}

/**
 * A public key as PEM, from a file or `env://NAME`; undefined where only a key management service has it.
 * @throws Error when the file cannot be read.
 */
export async function readPublicKey(reference: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = /^env:\/\/(.*)$/.exec(reference)?.[1];
  if (name !== undefined) return environment[name];
  if (reference.includes("://")) return undefined;
  try {
    return await readFile(reference, "utf8");
  } catch (cause) {
    throw new Error(`the public key ${JSON.stringify(reference)} cannot be read`, { cause });
  }
}
