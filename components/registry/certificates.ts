import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

const variables = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] as const;

/**
 * The certificate authorities to trust: Node's own, and those in the PEM files named by SSL_CERT_FILE (which Go
 * programs, so BuildKit and Pulumi's provider, obey and Node ignores) and NODE_EXTRA_CA_CERTS.
 * Undefined when neither is set: Node's default.
 * @throws Error naming the variable when its file cannot be read.
 */
export function certificateAuthorities(environment: NodeJS.ProcessEnv): string[] | undefined {
  const files = variables.flatMap((variable) => {
    const path = environment[variable];
    return path ? [read(variable, path)] : [];
  });
  return files.length === 0 ? undefined : [...rootCertificates, ...files];
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`cannot read ${JSON.stringify(path)}; ${variable} must name a file of PEM certificates`, { cause });
  }
}
