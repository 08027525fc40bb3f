import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AttestationKind, cosignTypes, kindOf } from "../model/attestationKind";
import type { RunProcess, ProcessResult } from "../system/process";
import { digestIn } from "../model/reference";
import { toolFailure, cosignEnvironment, firstLine } from "./tools";
import { signingArguments, verificationArguments, signingServices } from "./signing";
import { type ActiveSigning, resolveKey } from "../config/expectedSigner";
import type { ExpectedSigner } from "../model/signer";

/** How cosign is called. */
export interface CosignOptions {
  readonly run: RunProcess;
  /** Inherits the caller's: COSIGN_PASSWORD, token sources, DOCKER_CONFIG, SSL_CERT_FILE, TUF_*. */
  readonly environment: NodeJS.ProcessEnv;
  /** Where it runs, and writes bundles. */
  readonly directory: string;
  readonly limitMs: number;
  readonly sign: readonly string[];
  readonly verify: readonly string[];
}

/** A verified in-toto statement, as far as it matters here. */
export interface VerifiedStatement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** What cosign says when everything worked and nothing attached is ours. Anything else it says is trouble. */
const nothingVerified =
  /no signatures found|no matching attestations|no matching signatures|none of the attestations matched/;

/** cosign could not sign: whatever it signs with did not let it. */
export class SigningError extends Error {
  override readonly name = "SigningError";
}

/** cosign 3.1, one process per call. References carry a digest. */
export class Cosign {
  readonly #options: CosignOptions;
  readonly #refusals = new Map<string, string>();
  #bundles = 0;

  constructor(options: CosignOptions) {
    this.#options = options;
  }

  /** Signs a digest and gives the Sigstore bundle, which is attached to nothing. */
  async sign(reference: string): Promise<Buffer> {
    return this.#bundle(["sign", "--upload=false"], reference);
  }

  /** Signs a statement about a digest, with the predicate in a file, and gives its bundle as {@link sign} does. */
  async attest(reference: string, kind: Exclude<AttestationKind, "signature">, predicateFile: string): Promise<Buffer> {
    const what = ["--type", cosignTypes[kind], "--predicate", predicateFile];
    return this.#bundle(["attest", "--no-upload", ...what], reference);
  }

  /**
   * How many bundles of each kind on a digest are signed by the expected key or identity for that very digest.
   * One `cosign verify` checks them all, whatever their type; no bundle of ours is all zeroes.
   * @throws Error when cosign could not do its work: that is not "unsigned".
   */
  async verified(reference: string): Promise<Readonly<Record<AttestationKind, number>>> {
    const counts = { signature: 0, sbom: 0, provenance: 0, mirror: 0 };
    const output = await this.#ask(["verify", ...this.#options.verify, "--output", "json", byDigest(reference)]);
    for (const type of bundleTypes(output, reference)) {
      const kind = kindOf(type);
      if (kind !== undefined) counts[kind]++;
    }
    return counts;
  }

  /** Why nothing on a digest was accepted, in cosign's words, where that came about since the start. */
  refusal(reference: string): string | undefined {
    return this.#refusals.get(reference);
  }

  /** The verified statements of one kind on a digest. @throws Error when cosign could not do its work. */
  async statements(
    reference: string,
    kind: Exclude<AttestationKind, "signature">,
  ): Promise<readonly VerifiedStatement[]> {
    const argv = ["verify-attestation", ...this.#options.verify, "--type", cosignTypes[kind], byDigest(reference)];
    const output = await this.#ask(argv);
    return output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map(statement);
  }

  async #ask(argv: readonly string[]): Promise<string> {
    const result = await this.#start(argv);
    if (result.status === 0) return result.stdout;
    if (nothingVerified.test(result.stderr)) {
      this.#refusals.set(argv.at(-1) ?? "", firstLine(result.stderr));
      return "";
    }
    throw toolFailure("cosign", argv, result, this.#options.environment);
  }

  async #bundle(command: readonly string[], reference: string): Promise<Buffer> {
    const file = join(this.#options.directory, `bundle-${this.#bundles++}.json`);
    const argv = [...command, ...this.#options.sign, "--bundle", file, byDigest(reference)];
    const result = await this.#start(argv);
    if (result.status !== 0)
      throw new SigningError(toolFailure("cosign", argv, result, this.#options.environment).message);
    const bundle = await readFile(file);
    // An SBOM's is as large as itself, and temporary folders may be in memory.
    await rm(file);
    return bundle;
  }

  #start(argv: readonly string[]): Promise<ProcessResult> {
    const { run, environment, directory, limitMs } = this.#options;
    return run("cosign", argv, { environment, directory, limitMs });
  }
}

/** A tag would be signed as whatever it names at that moment. */
function byDigest(reference: string): string {
  if (/^[^@\s-][^@\s]*@sha256:[0-9a-f]{64}$/.test(reference)) return reference;
  throw new Error(`${JSON.stringify(reference)} is not signed; accepted is a reference with a digest`);
}

/** Standard output of `cosign verify`: one line, a JSON array of simple-signing payloads whose type is the predicate type. */
function bundleTypes(output: string, reference: string): readonly unknown[] {
  const line = output.split("\n").find((candidate) => candidate.startsWith("["));
  if (line === undefined) return [];
  const entries = JSON.parse(line) as {
    readonly critical?: { readonly type?: unknown; readonly image?: Record<string, unknown> };
  }[];
  const digest = digestIn(reference);
  return entries
    .filter(({ critical }) => digest !== undefined && critical?.image?.["docker-manifest-digest"] === digest)
    .map(({ critical }) => critical?.type);
}

function statement(line: string): VerifiedStatement {
  const { payload } = JSON.parse(line) as { readonly payload: string };
  return JSON.parse(Buffer.from(payload, "base64").toString()) as VerifiedStatement;
}

/** Where and how cosign runs. */
export interface CosignPlace {
  readonly run: RunProcess;
  readonly environment: NodeJS.ProcessEnv;
  /** For generated files. */
  readonly directory: string;
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly limitMs: number;
}

/**
 * cosign, set up as the stack config says.
 * @param expected whose signatures count.
 * @throws Error when a file the config names cannot be read.
 */
export async function cosignFor(signing: ActiveSigning, expected: ExpectedSigner, place: CosignPlace): Promise<Cosign> {
  const { run, directory, root, limitMs } = place;
  const environment = cosignEnvironment(place.environment);
  const services = await signingServices(signing, root, directory);
  const publicKey = join(directory, "cosign.pub");
  if ("publicKey" in expected) await writeFile(publicKey, expected.publicKey);
  const who = "publicKey" in expected ? { publicKey } : expected;
  const signer = signing.mode === "key" ? { ...signing, key: resolveKey(signing.key, root) } : signing;
  const [sign, verify] = [signingArguments(signer, services), verificationArguments(who, services)];
  return new Cosign({ run, environment, directory, limitMs, sign, verify });
}
