import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A server certificate for loopback and the authority that issued it, PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** File with the authority's certificate alone. */
  readonly authorityFile: string;
  /** File with the authority's certificate and the system's, for programs that read one bundle only (`SSL_CERT_FILE`). */
  readonly bundleFile: string;
}

/** Bundles of the usual distributions, as Go's crypto/x509 looks for them. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

const day = 86_400_000;

/**
 * The certificate kept in `folder`, made on first use by a throw-away authority whose key is never written down.
 * @param hosts further names it is for.
 * @param trusted a bundle to use instead of the system's, for machines that have their own.
 */
export async function loadCertificate(
  folder: string,
  hosts: readonly string[] = [],
  trusted = process.env.SSL_CERT_FILE,
): Promise<Certificate> {
  const [keyFile, certFile] = [join(folder, "server.key"), join(folder, "server.crt")];
  const [authorityFile, bundleFile] = [join(folder, "ca.crt"), join(folder, "bundle.crt")];
  if (![keyFile, certFile, authorityFile].every((file) => existsSync(file))) {
    mkdirSync(folder, { recursive: true });
    const issued = await issue(hosts);
    writeFileSync(authorityFile, issued.authority);
    writeFileSync(keyFile, issued.key, { mode: 0o600 });
    writeFileSync(certFile, issued.cert);
  }
  const candidates = trusted !== undefined && trusted !== bundleFile ? [trusted, ...systemBundles] : systemBundles;
  const system = candidates.find((file) => existsSync(file));
  const bundle = [readFileSync(authorityFile, "utf8"), system === undefined ? "" : readFileSync(system, "utf8")];
  writeFileSync(bundleFile, bundle.join("\n"));
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8"), authorityFile, bundleFile };
}

async function issue(
  hosts: readonly string[],
): Promise<{ readonly authority: string; readonly key: string; readonly cert: string }> {
  const common = {
    keyType: "ec" as const,
    algorithm: "sha256",
    // Valid since long ago, so that a test may set the clock back.
    notBeforeDate: new Date(Date.now() - 400 * day),
    notAfterDate: new Date(Date.now() + 400 * day),
  };
  const authority = await generate([{ name: "commonName", value: "multiarch-mirror sandbox CA" }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "localhost" }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...["localhost", ...hosts].map((value) => ({ type: 2 as const, value })),
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { authority: authority.cert, key: server.private, cert: server.cert };
}
