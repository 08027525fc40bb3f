import { z } from "zod";
import { answerError } from "./absentOrUnknown";
import { type Challenge, type Endpoint, parseChallenge } from "./endpoints";
import type { Clock } from "../system/clock";
import type { Credentialed, Credentials } from "./credentials";
import { RegistryError } from "./registryError";
import type { Transport, TransportAnswer, TransportRequest } from "./transport";
import { isLoopback } from "../model/reference";

type BearerChallenge = Extract<Challenge, { scheme: "bearer" }>;

/** A value for the Authorization header; undefined means none is needed or to be had. */
interface Authorization {
  readonly header: string | undefined;
  /** Milliseconds of the clock after which it is not used any more. */
  readonly until: number;
}

const answerSchema = z.object({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().positive().optional().catch(undefined),
});
/** Seconds a token is good for when the server does not say; from the distribution token specification. */
const defaultLifetime = 60;
const longestAnswer = 1024 * 1024;

/**
 * Adds the Authorization header a registry wants: basic, or a token fetched from its token server for pulling from
 * one repository. A token is fetched once and shared by all that need it, replaced before it runs out, and once more
 * when the registry refuses it. Sources: distribution `docs/spec/auth/token.md` and `oauth.md`.
 */
export class Authenticator {
  readonly #transport: Transport;
  readonly #credentials: Credentialed;
  readonly #clock: Clock;
  /** By origin and repository, as are the scopes registries asked for in a 401. */
  readonly #known = new Map<string, Promise<Authorization>>();
  readonly #scopes = new Map<string, string>();

  readonly #actions: "pull" | "pull,push";

  /**
   * @param actions what tokens are for. A writer asks for both from the start: ghcr.io answers a write with a challenge that
   *   names pulling only.
   */
  constructor(transport: Transport, credentials: Credentialed, clock: Clock, actions: "pull" | "pull,push" = "pull") {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#actions = actions;
  }

  /**
   * Sends a request about a repository. A 401 that stays, stays an answer.
   * @throws RegistryError as {@link Transport.send}, or when no token can be had.
   */
  async send(endpoint: Endpoint, repository: string, request: TransportRequest): Promise<TransportAnswer> {
    const key = `${endpoint.origin} ${repository}`;
    let sent: Authorization | undefined;
    const authorization = async (): Promise<string | undefined> => {
      sent = await this.#current(key, endpoint, repository);
      return sent.header;
    };
    const answer = await this.#transport.send({ ...request, authorization });
    // After a redirect the 401 is another host's, which is not to learn our credentials.
    if (answer.status !== 401 || answer.origin !== endpoint.origin) return answer;
    const challenge = parseChallenge(answer.header("www-authenticate"));
    if (!challenge) return answer;
    endpoint.challenge = challenge;
    if (challenge.scheme === "bearer" && challenge.scope && this.#actions === "pull")
      this.#scopes.set(key, challenge.scope);
    const refused = sent?.header;
    const known = await this.#known.get(key);
    if (known?.header === refused) {
      this.#known.delete(key);
      if (refused !== undefined) this.#credentials.forget(endpoint.host);
    }
    return this.#transport.send({ ...request, authorization });
  }

  /**
   * Whether the registry itself (`GET /v2/`, no repository) accepts the credentials configured for it. False without credentials,
   * unless it asks for none; false when it refuses them.
   * @throws RegistryError when there is no clear answer.
   */
  async accepts(endpoint: Endpoint): Promise<boolean> {
    const url = new URL("/v2/", endpoint.origin);
    const request = { method: "GET", url, bodyLimit: longestAnswer } as const;
    const open = await this.#transport.send(request);
    if (open.status === 200) return true;
    const challenge = open.status === 401 ? parseChallenge(open.header("www-authenticate")) : undefined;
    // An anonymous token proves nothing.
    if (!challenge || !(await this.#credentials.for(endpoint.host))) return false;
    try {
      const { header } = await this.#authorization({ ...endpoint, challenge }, undefined);
      const answer = await this.#transport.send({ ...request, authorization: async () => header });
      return answer.status === 200;
    } catch (error) {
      if (error instanceof RegistryError && error.kind === "authorisation") return false;
      throw error;
    }
  }

  async #current(key: string, endpoint: Endpoint, repository: string): Promise<Authorization> {
    for (;;) {
      const pending = this.#known.get(key);
      if (!pending) break;
      const known = await pending;
      if (this.#clock.now() < known.until) return known;
      // Somebody else may have replaced it meanwhile; only the one that is out of date goes.
      if (this.#known.get(key) === pending) this.#known.delete(key);
    }
    const fetched = this.#authorization(endpoint, this.#scopes.get(key) ?? `repository:${repository}:${this.#actions}`);
    this.#known.set(key, fetched);
    fetched.catch(() => this.#known.get(key) === fetched && this.#known.delete(key));
    return fetched;
  }

  /** @param scope undefined for a token that only proves who asks. */
  async #authorization(endpoint: Endpoint, scope: string | undefined): Promise<Authorization> {
    const { challenge, host } = endpoint;
    if (!challenge) return { header: undefined, until: Infinity };
    const credentials = await this.#credentials.for(host);
    if (challenge.scheme === "bearer") return this.#token(challenge, endpoint, scope, credentials);
    if (!credentials) return { header: undefined, until: Infinity };
    if ("username" in credentials) return { header: basic(credentials), until: Infinity };
    const message = `${host} wants a name and password, but the Docker configuration has an identity token; log in again`;
    throw new RegistryError("authorisation", message);
  }

  async #askForToken(
    challenge: BearerChallenge,
    scope: string | undefined,
    endpoint: Endpoint,
    credentials: Credentials | undefined,
  ): Promise<TransportAnswer> {
    const answer = await this.#transport.send(tokenRequest(challenge, scope, endpoint, credentials));
    if (!credentials || !("identityToken" in credentials) || !withoutPost.has(answer.status)) return answer;
    const asPassword = { username: "", password: credentials.identityToken };
    return this.#transport.send(tokenRequest(challenge, scope, endpoint, asPassword));
  }

  async #token(
    challenge: BearerChallenge,
    endpoint: Endpoint,
    scope: string | undefined,
    credentials: Credentials | undefined,
  ): Promise<Authorization> {
    const started = this.#clock.now();
    const answer = await this.#askForToken(challenge, scope, endpoint, credentials);
    if (answer.status !== 200) throw answerError(`token for ${endpoint.host} (${scope ?? "no scope"})`, answer);
    const parsed = answerSchema.safeParse(parseJson(answer.body));
    const token = parsed.data?.token || parsed.data?.access_token;
    // A token goes into a header, so it must not carry a line break.
    if (!token || !/^[\x21-\x7e]+$/.test(token)) {
      const message = `the token server of ${endpoint.host} sent no token; accepted is JSON with "token" or "access_token"`;
      throw new RegistryError("malformed", message, { status: 200 });
    }
    const lifetime = 1000 * (parsed.data?.expires_in ?? defaultLifetime);
    // Ten seconds early, so that it does not run out on the way; a short-lived one at three quarters.
    return { header: `Bearer ${token}`, until: started + lifetime - Math.min(10_000, lifetime / 4) };
  }
}

/** How token servers that know no POST refuse it: Google's with 404, Azure's with 400, Artifactory's with 401. Source: containerd. */
const withoutPost = new Set([400, 401, 404, 405]);

function tokenRequest(
  { realm, service }: BearerChallenge,
  scope: string | undefined,
  endpoint: Endpoint,
  credentials: Credentials | undefined,
): TransportRequest {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const plain = url?.protocol === "http:" && isLoopback(url.hostname) && isLoopback(new URL(endpoint.origin).hostname);
  if (!url || !(url.protocol === "https:" || plain)) {
    const message = `${endpoint.host} names the token server ${JSON.stringify(realm)}; accepted is an https address`;
    throw new RegistryError("malformed", message);
  }
  const parameters = new URLSearchParams({
    ...(service !== undefined && { service }),
    ...(scope !== undefined && { scope }),
  });
  // Waited for by requests that already hold a place, so it must not queue behind them.
  const common = { bodyLimit: longestAnswer, urgent: true } as const;
  if (credentials && "identityToken" in credentials) {
    parameters.set("grant_type", "refresh_token");
    parameters.set("client_id", "multiarch-mirror");
    parameters.set("refresh_token", credentials.identityToken);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { ...common, method: "POST", url, headers, body: parameters.toString() };
  }
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  const header = credentials && basic(credentials);
  return { ...common, method: "GET", url, ...(header !== undefined && { authorization: async () => header }) };
}

function basic({ username, password }: Extract<Credentials, { username: string }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
