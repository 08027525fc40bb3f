import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, webcrypto } from "node:crypto";
import { dsse } from "@sigstore/core";
import * as x509 from "@peculiar/x509";
import { predicateTypes, type AttestationKind } from "../../components/model/attestationKind";
import type { Digest } from "../../components/model/digest";
import type { CertificateSigner } from "../../components/model/signer";

x509.cryptoProvider.set(webcrypto);

/** Who signs a bundle of a test: a key, or the key of a certificate. */
export interface TestSigner {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificate?: Buffer;
}

/** A key of a test, and its public half as PEM. */
export function testKey(): TestSigner & { readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() };
}

/** A workflow of the repository `example/mirror`, as GitHub's tokens have it. */
export const exampleSigner: Required<CertificateSigner> = {
  subject: "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main",
  issuer: "https://token.actions.githubusercontent.com",
  repository: "example/mirror",
  ref: "refs/heads/main",
  commit: "d".repeat(40),
  run: "https://github.com/example/mirror/actions/runs/1/attempts/1",
  workflow: "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main",
};

/** An authority of a test. */
export interface TestAuthority {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: x509.X509Certificate;
}

/** An authority that issues certificates. */
export async function testAuthority(): Promise<TestAuthority> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions = [new x509.BasicConstraintsExtension(true, 1, true)];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: "CN=authority",
    signingAlgorithm: algorithm,
    extensions,
  });
  return { keys, certificate };
}

/** A certificate as Fulcio writes it; without an authority, signed by its own key. */
export async function testCertificate(
  says: CertificateSigner = exampleSigner,
  authority?: TestAuthority,
): Promise<TestSigner> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const bare = (number: number, text = "") => extension(number, Buffer.from(text));
  const string = (number: number, text = "") =>
    extension(number, Buffer.concat([Buffer.from([0x0c, ...derLength(Buffer.byteLength(text))]), Buffer.from(text)]));
  const url = { type: says.subject.includes("://") ? ("url" as const) : ("email" as const), value: says.subject };
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: authority?.keys.privateKey ?? keys.privateKey,
    subject: "",
    issuer: authority?.certificate.subject ?? "",
    notBefore: new Date("2026-01-01T00:00:00Z"),
    notAfter: new Date("2026-01-01T00:10:00Z"),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new x509.SubjectAlternativeNameExtension([url], true),
      bare(1, says.issuer),
      string(8, says.issuer),
      ...(says.repository === undefined ? [] : [bare(5, says.repository)]),
      ...(says.ref === undefined ? [] : [bare(6, says.ref)]),
      ...(says.workflow === undefined ? [] : [string(9, says.workflow)]),
      ...(says.commit === undefined ? [] : [string(13, says.commit)]),
      ...(says.run === undefined ? [] : [string(21, says.run)]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    privateKey: createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }),
    certificate: Buffer.from(certificate.rawData),
  };
}

function derLength(length: number): readonly number[] {
  return length < 128 ? [length] : [0x81, length];
}

function extension(number: number, value: Buffer): x509.Extension {
  return new x509.Extension(`1.3.6.1.4.1.57264.1.${number}`, false, value);
}

/** A bundle as cosign 3.1 writes it. */
export function testBundle(
  about: Digest,
  kind: AttestationKind,
  signer: TestSigner,
  predicate: unknown = {},
): Record<string, unknown> {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: about.slice("sha256:".length) } }],
    predicateType: predicateTypes[kind],
    predicate,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const payloadType = "application/vnd.in-toto+json";
  const signature = sign("sha256", dsse.preAuthEncoding(payloadType, payload), signer.privateKey);
  const hint = createPublicKey(signer.privateKey).export({ type: "spki", format: "der" }).toString("base64");
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: signer.certificate
      ? { certificate: { rawBytes: signer.certificate.toString("base64") }, tlogEntries: [] }
      : { publicKey: { hint } },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType,
      signatures: [{ sig: signature.toString("base64") }],
    },
  };
}
