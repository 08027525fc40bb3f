import { createPrivateKey, generateKeyPairSync, type KeyObject, webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

/** Files with the keys and certificates of a private Sigstore. */
export interface AuthorityFiles {
  /** Fulcio's own certificate, which is its root. */
  readonly root: string;
  /** Its key, encrypted with {@link rootPassword}: Fulcio takes no other. */
  readonly rootKey: string;
  readonly logKey: string;
  readonly logPublicKey: string;
  /** Rekor's. */
  readonly transparencyKey: string;
  readonly transparencyPublicKey: string;
  readonly stampKey: string;
  /** The timestamp authority's certificate, and the one that signed it. */
  readonly stampChain: string;
}

/** It protects nothing: the key is as old as the test. */
export const rootPassword = "private-sigstore";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hour = 3_600_000;

/** Makes the keys and certificates of a private Sigstore. */
export async function makeAuthorities(folder: string): Promise<AuthorityFiles> {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const fulcio = await makeRoot("fulcio");
  const stamps = await makeRoot("timestamps");
  const stamp = await makeStampSigner(stamps);
  const log = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const transparency = generateKeyPairSync("ed25519");
  const secret = { cipher: "aes-256-cbc", passphrase: rootPassword };
  return {
    root: write("root.pem", fulcio.certificate.toString("pem")),
    rootKey: write(
      "root.key",
      (await keyOf(fulcio.keys)).export({ type: "sec1", format: "pem", ...secret }).toString(),
    ),
    logKey: write("log.key", log.privateKey.export({ type: "sec1", format: "pem" }).toString()),
    logPublicKey: write("log.pub", publicPem(log.publicKey)),
    transparencyKey: write("rekor.key", transparency.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
    transparencyPublicKey: write("rekor.pub", publicPem(transparency.publicKey)),
    stampKey: write("stamp.key", (await keyOf(stamp.keys)).export({ type: "pkcs8", format: "pem" }).toString()),
    stampChain: write("stamp.pem", `${stamp.certificate.toString("pem")}\n${stamps.certificate.toString("pem")}\n`),
  };
}

interface Certified {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: x509.X509Certificate;
}

async function makeRoot(name: string): Promise<Certified> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: `O=keyless.test, CN=${name}`,
    notBefore: new Date(Date.now() - hour),
    notAfter: new Date(Date.now() + 24 * hour),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { keys, certificate };
}

async function makeStampSigner(root: Certified): Promise<Certified> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: root.keys.privateKey,
    subject: "O=keyless.test, CN=timestamp signer",
    issuer: root.certificate.subject,
    notBefore: new Date(Date.now() - hour),
    notAfter: new Date(Date.now() + 24 * hour),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.timeStamping], true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.keys.publicKey),
    ],
  });
  return { keys, certificate };
}

async function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function keyOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<KeyObject> {
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function publicPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}
