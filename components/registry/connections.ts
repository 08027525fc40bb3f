import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { isLoopback } from "../model/reference";

const longestConnect = 10_000;

/**
 * Kept-alive connections of one client: direct, or through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
 * (upper or lower case) name. This machine itself is never reached through a proxy.
 */
export class Connections {
  readonly #direct: Agent;
  readonly #proxied: EnvHttpProxyAgent | undefined;

  /** @throws Error when a file of certificate authorities cannot be read. */
  constructor(environment: NodeJS.ProcessEnv, requestTimeoutMs: number) {
    const ca = certificateAuthorities(environment);
    const tls = ca === undefined ? {} : { ca };
    const connect = { ...tls, timeout: Math.min(longestConnect, requestTimeoutMs) };
    const timeouts = { headersTimeout: requestTimeoutMs, bodyTimeout: requestTimeoutMs };
    this.#direct = new Agent({ connect, ...timeouts });
    const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? "";
    const [httpProxy, httpsProxy, noProxy] = [read("HTTP_PROXY"), read("HTTPS_PROXY"), read("NO_PROXY")];
    if (httpProxy || httpsProxy) {
      const options = { httpProxy, httpsProxy, noProxy, connect, requestTls: connect, proxyTls: tls, ...timeouts };
      this.#proxied = new EnvHttpProxyAgent(options);
    }
  }

  for(url: URL): Dispatcher {
    return isLoopback(url.hostname) ? this.#direct : (this.#proxied ?? this.#direct);
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#proxied?.destroy()]);
  }
}

const variables = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] as const;

/**
 * The certificate authorities to trust: Node's own, and those in the PEM files named by SSL_CERT_FILE (which Go
 * programs, so BuildKit and Pulumi's provider, obey and Node ignores) and NODE_EXTRA_CA_CERTS.
 * Undefined when neither is set: Node's default.
 * @throws Error naming the variable when its file cannot be read.
 */
function certificateAuthorities(environment: NodeJS.ProcessEnv): string[] | undefined {
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
