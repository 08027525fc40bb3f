import { createPublicKey, type KeyObject, verify, X509Certificate as NodeCertificate } from "node:crypto";
import { dsse, X509Certificate } from "@sigstore/core";
import { z } from "zod";
import type { Digest } from "../model/digest";
import { reasonOf } from "../model/reasonOf";
import { type CertificateSigner, certificateProblem, type ExpectedSigner } from "../model/signer";

/** A statement somebody signed about an image, read out of a Sigstore bundle. */
export interface SignedStatement {
  readonly predicateType: string;
  readonly predicate: unknown;
  /** Undefined where a key signed. */
  readonly certificate: CertificateSigner | undefined;
  /** When, as the log or the certificate says. */
  readonly signedAt?: Date;
  /** Entries in transparency logs. */
  readonly logIndexes: readonly string[];
}

/** What a bundle is worth: a statement of the expected signer, or the reason why it is none. */
export type ReadBundle =
  | { readonly statement: SignedStatement; readonly problem?: never }
  | { readonly problem: string; readonly statement?: never };

const base64 = z.string().transform((text) => Buffer.from(text, "base64"));
const bundleSchema = z.looseObject({
  verificationMaterial: z.looseObject({
    certificate: z.looseObject({ rawBytes: base64 }).optional(),
    x509CertificateChain: z.looseObject({ certificates: z.array(z.looseObject({ rawBytes: base64 })) }).optional(),
    publicKey: z.looseObject({ hint: z.string().optional() }).optional(),
    tlogEntries: z
      // Protocol buffers leave a zero out: the first entry of a log has no index.
      .array(z.looseObject({ logIndex: z.string().default("0"), integratedTime: z.string().optional() }))
      .default([]),
  }),
  dsseEnvelope: z.looseObject({
    payload: base64,
    payloadType: z.string(),
    signatures: z.array(z.looseObject({ sig: base64 })).min(1),
  }),
});
const statementSchema = z.looseObject({
  subject: z.array(z.looseObject({ digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** Fulcio's extensions below 1.3.6.1.4.1.57264.1. The first six are bare text, the others DER strings. */
const extension = { olderIssuer: 1, repository: 5, ref: 6, issuer: 8, workflow: 9, commit: 13, run: 21 } as const;

/**
 * Reads a Sigstore bundle (v0.1 to v0.3, JSON) that holds a DSSE envelope, and judges it without any process and without the network:
 * who signed it must be who is expected, by a certificate of an authority that is trusted; the signature must be by that
 * certificate's or that very key, and it must be about this digest. Whether a certificate was used in time and is logged is for
 * `cosign verify` to say. So nothing is signed or completed on the word of this alone.
 */
export function readBundle(bytes: Buffer, about: Digest, expected: ExpectedSigner): ReadBundle {
  try {
    return judge(bundleSchema.parse(JSON.parse(bytes.toString("utf8"))), about, expected);
  } catch (error) {
    return { problem: `it cannot be read: ${reasonOf(error).split("\n")[0] ?? ""}` };
  }
}

function judge(bundle: z.output<typeof bundleSchema>, about: Digest, expected: ExpectedSigner): ReadBundle {
  const { verificationMaterial: material, dsseEnvelope: envelope } = bundle;
  const raw = material.certificate?.rawBytes ?? material.x509CertificateChain?.certificates[0]?.rawBytes;
  const leaf = raw && X509Certificate.parse(raw);
  const certificate = leaf && signerOf(leaf);
  const problem = signerProblem(expected, certificate);
  if (problem !== undefined) return { problem };
  if (raw && !isIssued(raw, expected)) return { problem: "its certificate is of no authority that is trusted" };
  const key = leaf ? createPublicKey({ key: leaf.publicKey, format: "der", type: "spki" }) : keyOf(expected);
  const signed = dsse.preAuthEncoding(envelope.payloadType, envelope.payload);
  if (key && !envelope.signatures.some(({ sig }) => verifies(key, signed, sig))) {
    return { problem: leaf ? "its signature is not by its certificate's key" : "it is not signed by the expected key" };
  }
  const statement = statementSchema.parse(JSON.parse(envelope.payload.toString("utf8")));
  const named = statement.subject.some(({ digest }) => `sha256:${digest["sha256"] ?? ""}` === about);
  if (!named) return { problem: "it is about something else" };
  const { predicateType, predicate } = statement;
  const signedAt = timeOf(material.tlogEntries, leaf);
  const logIndexes = material.tlogEntries.map(({ logIndex }) => logIndex);
  return { statement: { predicateType, predicate, certificate, logIndexes, ...(signedAt && { signedAt }) } };
}

function signerProblem(expected: ExpectedSigner, found: CertificateSigner | undefined): string | undefined {
  if ("subject" in expected) return found ? certificateProblem(expected, found) : "signed by a key";
  return found && `signed by ${JSON.stringify(found.subject)}`;
}

/** The dates of the authorities are for cosign to judge, as all time is. */
function isIssued(certificate: Buffer, expected: ExpectedSigner): boolean {
  if (!("subject" in expected) || expected.authorities === undefined) return true;
  const leaf = new NodeCertificate(certificate);
  return expected.authorities.some((der) => leaf.verify(new NodeCertificate(Buffer.from(der, "base64")).publicKey));
}

function signerOf(leaf: X509Certificate): CertificateSigner {
  const text = (number: number): string | undefined => {
    const value = leaf.extension(`1.3.6.1.4.1.57264.1.${number}`)?.valueObj;
    return (number <= 6 ? value : value?.subs[0])?.value.toString("utf8");
  };
  const optional = {
    repository: text(extension.repository),
    ref: text(extension.ref),
    commit: text(extension.commit),
    run: text(extension.run),
    workflow: text(extension.workflow),
  };
  return {
    subject: leaf.subjectAltName ?? "",
    issuer: text(extension.issuer) ?? text(extension.olderIssuer) ?? "",
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function keyOf(expected: ExpectedSigner): KeyObject | undefined {
  return "subject" in expected ? undefined : createPublicKey(expected.publicKey);
}

function verifies(key: KeyObject, signed: Buffer, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", signed, key, signature);
}

/** Rekor v1 says when; from Rekor v2 on only the time stamp does, and the certificate is ten minutes around it. */
function timeOf(
  entries: readonly { readonly integratedTime?: string | undefined }[],
  leaf: X509Certificate | undefined,
): Date | undefined {
  const seconds = Number(entries.find(({ integratedTime }) => Number(integratedTime) > 0)?.integratedTime);
  return seconds > 0 ? new Date(seconds * 1000) : leaf?.notBefore;
}
