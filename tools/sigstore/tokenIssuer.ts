import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const commit = "0123456789abcdef0123456789abcdef01234567";
const workflow = "acme/mirror/.github/workflows/mirror.yml@refs/heads/main";

/** What GitHub's tokens say of a scheduled run of `acme/mirror`. Source: GitHub's documentation of OIDC tokens, "Understanding the OIDC token". */
const scheduledRun: Readonly<Record<string, string>> = {
  sub: "repo:acme/mirror:ref:refs/heads/main",
  ref: "refs/heads/main",
  ref_type: "branch",
  sha: commit,
  repository: "acme/mirror",
  repository_id: "74",
  repository_owner: "acme",
  repository_owner_id: "65",
  repository_visibility: "public",
  run_id: "424242",
  run_number: "17",
  run_attempt: "2",
  workflow: "Mirror",
  workflow_ref: workflow,
  workflow_sha: commit,
  job_workflow_ref: workflow,
  job_workflow_sha: commit,
  event_name: "schedule",
  runner_environment: "github-hosted",
};

/** How the next tokens differ from those of a scheduled run. */
export interface TokenChanges {
  readonly claims?: Readonly<Record<string, string>>;
  /** Seconds ago when they expired; undefined: they are good for five minutes. */
  readonly expiredFor?: number;
  /** Answer with this status instead. */
  readonly status?: number;
  /** With `status`: only every so many times. */
  readonly every?: number;
}

/** What a run of GitHub Actions asks for its identity, with tokens shaped like GitHub's, signed by a key of its own. */
export class TokenIssuer {
  readonly #server: Server;
  readonly #key: KeyObject;
  readonly #jwk: object;
  /** How the next tokens differ. */
  changes: TokenChanges = {};
  #asked = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#key = privateKey;
    this.#jwk = { ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" };
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(port: number): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the issuer of tokens is not running");
    return `http://127.0.0.1:${address.port}`;
  }

  /** The variables GitHub gives a run that may ask for tokens. */
  get environment(): Readonly<Record<string, string>> {
    return {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "acme/mirror",
      GITHUB_REF: "refs/heads/main",
      GITHUB_SHA: commit,
      GITHUB_RUN_ID: "424242",
      GITHUB_RUN_ATTEMPT: "2",
      GITHUB_EVENT_NAME: "schedule",
      GITHUB_WORKFLOW_REF: workflow,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
    };
  }

  #answer({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const json = (status: number, value: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    const { pathname, searchParams } = new URL(url, this.url);
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return void json(200, {
          issuer: this.url,
          jwks_uri: `${this.url}/keys`,
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
        });
      case "/keys":
        return void json(200, { keys: [this.#jwk] });
      case "/token":
        this.#asked++;
        if (this.changes.status !== undefined && this.#asked % (this.changes.every ?? 1) === 0)
          return void json(this.changes.status, { message: "told to fail" });
        if (headers.authorization?.toLowerCase() !== "bearer request-token") return void json(401, {});
        return void json(200, { value: this.#token(searchParams.get("audience") ?? "") });
      default:
        return void json(404, {});
    }
  }

  #token(audience: string): string {
    const { claims, expiredFor } = this.changes;
    const expires = Math.floor(Date.now() / 1000) + (expiredFor === undefined ? 300 : -expiredFor);
    const times = { iat: expires - 300, nbf: expires - 305, exp: expires };
    const body = { jti: randomUUID(), aud: audience, iss: this.url, ...times, ...scheduledRun, ...claims };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${encode({ typ: "JWT", alg: "RS256", kid: "1" })}.${encode(body)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), this.#key).toString("base64url")}`;
  }
}
