import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { Answer } from "./exchange";

/** How the sandbox's registry authenticates its clients. */
export interface AuthenticationOptions {
  /** `basic`, or `token`: a token server at `/token` of the same port. */
  readonly mode: "basic" | "token";
  readonly user: string;
  readonly password: string;
  /** How long a token is good, in seconds. Default 300. */
  readonly tokenSeconds?: number;
  /** Reading needs no credentials. */
  readonly anonymousPull?: boolean;
}

interface Token {
  readonly expires: number;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Authentication in front of a registry, as the distribution specification's token flow has it: 401 with a challenge that names
 * the scope missing, opaque tokens that expire, `Basic` credentials at the token server.
 */
export class Authentication {
  private readonly tokens = new Map<string, Token>();

  constructor(readonly options: AuthenticationOptions) {}

  /** The answer to send instead of forwarding the request, or nothing when it may pass. */
  check(request: IncomingMessage): Answer | undefined {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (this.options.mode === "token" && url.pathname === "/token") return this.issue(request, url);
    const scope = scopeOf(request.method ?? "GET", url);
    const anonymous = this.options.anonymousPull === true && (scope === undefined || scope.endsWith(":pull"));
    if (this.options.mode === "basic") {
      return anonymous || this.knows(request) ? undefined : denied(`Basic realm="sandbox"`);
    }
    const token = this.tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "");
    const alive = token !== undefined && token.expires > Date.now();
    if (alive && (scope === undefined || token.scopes.has(scope))) return undefined;
    const error = token === undefined ? "" : `,error="${alive ? "insufficient_scope" : "invalid_token"}"`;
    const wanted = scope === undefined ? "" : `,scope="${scope.replace(/:push$/, ":pull,push")}"`;
    return denied(`Bearer realm="${origin(request)}/token",service="sandbox"${wanted}${error}`);
  }

  private issue(request: IncomingMessage, url: URL): Answer {
    // As of token servers that know no POST: clients that send their credentials in its body ask again by GET.
    if (request.method === "POST") return { status: 404, body: "404 page not found\n" };
    const known = this.knows(request);
    if (!known && (request.headers.authorization !== undefined || this.options.anonymousPull !== true)) {
      return denied(`Basic realm="sandbox"`);
    }
    const seconds = this.options.tokenSeconds ?? 300;
    const actions = url.searchParams
      .getAll("scope")
      .flatMap((entry) => entry.split(" "))
      .flatMap(expand);
    const scopes = new Set(known ? actions : actions.filter((scope) => scope.endsWith(":pull")));
    const token = randomUUID();
    this.tokens.set(token, { expires: Date.now() + seconds * 1000, scopes });
    const body = { token, access_token: token, expires_in: seconds, issued_at: new Date().toISOString() };
    return { status: 200, body };
  }

  private knows(request: IncomingMessage): boolean {
    const { user, password } = this.options;
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    return request.headers.authorization === expected;
  }
}

/** The scope a request needs, one action only: `repository:NAME:pull`, `:push` or `:delete`. */
function scopeOf(method: string, url: URL): string | undefined {
  const [, name] = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(url.pathname) ?? [];
  if (name === undefined) return undefined;
  const action = method === "GET" || method === "HEAD" ? "pull" : method === "DELETE" ? "delete" : "push";
  return `repository:${name}:${action}`;
}

function expand(scope: string): readonly string[] {
  const [, resource, actions = ""] = /^(.+):([^:]*)$/.exec(scope) ?? [];
  return actions.split(",").map((action) => `${resource}:${action}`);
}

function denied(challenge: string): Answer {
  const body = { errors: [{ code: "UNAUTHORIZED", message: "authentication required", detail: null }] };
  return {
    status: 401,
    headers: { "WWW-Authenticate": challenge, "Docker-Distribution-Api-Version": "registry/2.0" },
    body,
  };
}

function origin({ socket, headers }: IncomingMessage): string {
  return `${socket instanceof TLSSocket ? "https" : "http"}://${headers.host}`;
}
