import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { certificateAuthorities } from "./certificates";
import { isLoopback } from "./loopback";

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
