import { isLoopback } from "../model/reference";
import type { Mirror } from "./mirrors";
import { RegistryError, isCertificateFault } from "./registryError";
import type { Transport, TransportAnswer } from "./transport";

/** Where a registry is really reached. */
export interface Endpoint {
  /** Host and port, under which its credentials are looked up. */
  readonly host: string;
  /** Scheme, host and port: `https://ghcr.io`. */
  readonly origin: string;
  /** What stands before each repository, of a mirror: empty, or with a slash at its end. */
  readonly prefix: string;
  /** How it wants to be authenticated to, as far as known; the authenticator keeps it up to date. */
  challenge: Challenge | undefined;
}

const longestAnswer = 64 * 1024;

/**
 * Finds out once per registry where and how to speak to it: mirrors, Docker Hub's real host, HTTPS or, on this
 * machine, plain HTTP, and the kind of authentication. The one question asked for that (`GET /v2/`) saves every
 * later one a refused first try.
 */
export class Endpoints {
  readonly #transport: Transport;
  readonly #mirrors: ReadonlyMap<string, Mirror>;
  readonly #known = new Map<string, Promise<Endpoint>>();

  constructor(transport: Transport, mirrors: ReadonlyMap<string, Mirror>) {
    this.#transport = transport;
    this.#mirrors = mirrors;
  }

  for(registry: string): Promise<Endpoint> {
    const known = this.#known.get(registry) ?? this.#find(registry);
    this.#known.set(registry, known);
    return known;
  }

  async #find(registry: string): Promise<Endpoint> {
    const { registry: target, prefix } = this.#mirrors.get(registry) ?? { registry, prefix: "" };
    const host = target === "docker.io" ? "registry-1.docker.io" : target;
    const local = isLoopback(host.replace(/:[0-9]+$/, ""));
    let origin = new URL(`${local ? "http" : "https"}://${host}`).origin;
    let answer = await this.#ping(origin);
    // A TLS server hangs up on plain HTTP, or says 400.
    if (local && (answer instanceof RegistryError || answer.status === 400)) {
      const tls = new URL(`https://${host}`).origin;
      const secure = await this.#ping(tls);
      if (!(secure instanceof RegistryError) || isCertificateFault(secure.cause)) [answer, origin] = [secure, tls];
    }
    // Without an answer nothing was learnt; the request that follows will say what is wrong, the next one asks again.
    if (answer instanceof RegistryError) {
      this.#known.delete(registry);
      return { host, origin, prefix, challenge: undefined };
    }
    // The scope in it is made up (`repository:user/image:pull`), as the question named no repository; nobody uses it.
    const challenge = answer.status === 401 ? parseChallenge(answer.header("www-authenticate")) : undefined;
    return { host, origin, prefix, challenge };
  }

  async #ping(origin: string): Promise<TransportAnswer | RegistryError> {
    const url = new URL("/v2/", origin);
    const question = {
      method: "GET",
      url,
      bodyLimit: longestAnswer,
      once: true,
      urgent: true,
      keepRedirect: true,
    } as const;
    return this.#transport.send(question).catch((error: unknown) => {
      if (error instanceof RegistryError) return error;
      throw error;
    });
  }
}

/** How a registry wants to be authenticated to. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service?: string; readonly scope?: string };

// One step through the header: a parameter (token = token or quoted string) or a bare word, which is a scheme.
const step = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/gy;
const between = /[\s,]*/gy;

/**
 * Reads a WWW-Authenticate header (RFC 9110, 11.6.1), which may hold several challenges, and takes Bearer before
 * Basic, as the distribution specification's token authentication wants. Undefined when it offers neither.
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const offers = split(header ?? "");
  const bearer = offers.find((offer) => offer.scheme === "bearer" && offer.parameters.has("realm"));
  if (bearer) {
    const { parameters } = bearer;
    const [realm = "", service, scope] = ["realm", "service", "scope"].map((name) => parameters.get(name));
    return {
      scheme: "bearer",
      realm,
      ...(service !== undefined && { service }),
      ...(scope !== undefined && { scope }),
    };
  }
  return offers.some((offer) => offer.scheme === "basic") ? { scheme: "basic" } : undefined;
}

function split(header: string): { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }[] {
  const offers: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  while (position < header.length) {
    between.lastIndex = position;
    step.lastIndex = position + (between.exec(header)?.[0].length ?? 0);
    const found = step.exec(header);
    if (!found) break;
    position = step.lastIndex;
    const [, name = "", quoted, bare] = found;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    if (value === undefined) offers.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else offers.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return offers;
}
