import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { isLoopback } from "../model/reference";
import { lookupPublic, type PrivateHosts, refusePrivateHost } from "./privateHosts";

const longestConnect = 10_000;

/** Where requests must not go. */
export interface Guard {
  /** Private hosts they may go to all the same. */
  readonly hosts: PrivateHosts;
  /** Who asks knows the hosts; only where these redirect to is upstream's choice. */
  readonly redirectsOnly?: boolean;
}

/**
 * Kept-alive connections of one client: direct, or through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
 * (upper or lower case) name. This machine itself is never reached through a proxy.
 */
export class Connections {
  readonly #direct: Agent;
  /** Reaches no private address. */
  readonly #guarded: Agent;
  readonly #proxied: EnvHttpProxyAgent | undefined;

  /** @throws Error when a file of certificate authorities cannot be read. */
  constructor(
    environment: NodeJS.ProcessEnv,
    requestTimeoutMs: number,
    private readonly guard?: Guard,
  ) {
    const ca = certificateAuthorities(environment);
    const tls = ca === undefined ? {} : { ca };
    const connect = { ...tls, timeout: Math.min(longestConnect, requestTimeoutMs) };
    const timeouts = { headersTimeout: requestTimeoutMs, bodyTimeout: requestTimeoutMs };
    this.#direct = new Agent({ connect, ...timeouts });
    this.#guarded = new Agent({ connect: { ...connect, lookup: lookupPublic }, ...timeouts });
    const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? "";
    const [httpProxy, httpsProxy, noProxy] = [read("HTTP_PROXY"), read("HTTPS_PROXY"), read("NO_PROXY")];
    if (httpProxy || httpsProxy) {
      const options = { httpProxy, httpsProxy, noProxy, connect, requestTls: connect, proxyTls: tls, ...timeouts };
      this.#proxied = new EnvHttpProxyAgent(options);
    }
  }

  /**
   * @param from the address that redirected to this one, where one did.
   * @throws RegistryError when upstream leads to where requests must not go; else the connection fails with it.
   */
  for(url: URL, from?: URL): Dispatcher {
    const guarded = this.#isGuarded(url, from);
    if (guarded) refusePrivateHost(url.hostname);
    if (isLoopback(url.hostname)) return this.#direct;
    return this.#proxied ?? (guarded ? this.#guarded : this.#direct);
  }

  #isGuarded(url: URL, from: URL | undefined): boolean {
    if (!this.guard || this.guard.hosts.includes(url.hostname)) return false;
    if (!from) return this.guard.redirectsOnly !== true;
    // A private host that is asked may have its files beside it.
    return !this.guard.hosts.includes(from.hostname) && !(isLoopback(from.hostname) && isLoopback(url.hostname));
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#guarded.destroy(), this.#proxied?.destroy()]);
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
