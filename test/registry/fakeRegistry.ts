import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Digest } from "../../components/model/digest";
import { LoopbackServer } from "../support/loopbackServer";

/** What a rule answers: a status with body and headers, or something done to the connection. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** `reset`: no answer; `cut`: the body ends half-way; `hang`: nothing ever comes. */
  readonly fault?: "reset" | "cut" | "hang";
}

/** One request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

type Rule = (seen: Seen) => Reply | undefined;

export const indexType = "application/vnd.oci.image.index.v1+json";
export const imageType = "application/vnd.oci.image.manifest.v1+json";
export const configType = "application/vnd.oci.image.config.v1+json";

/** The error body of the distribution specification. */
export function errorBody(code: string, message = ""): Pick<Reply, "body" | "headers"> {
  return { body: JSON.stringify({ errors: [{ code, message }] }), headers: { "content-type": "application/json" } };
}

export function digestOf(body: string | Buffer): Digest {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

/** A registry on loopback: content put into it is served; rules, the latest first, come before that. All requests are logged. */
export class FakeRegistry extends LoopbackServer {
  readonly seen: Seen[] = [];
  readonly #content = new Map<string, Reply>();
  readonly #rules: Rule[] = [];
  /** Most requests that were being answered at once. */
  mostAtOnce = 0;
  /** How long each answer is held back, so that requests meet. */
  delayMs = 0;
  #atOnce = 0;

  /** Methods and paths seen, without the client's first look at `/v2/`. */
  get requests(): readonly string[] {
    return this.seen.filter(({ path }) => path !== "/v2/").map(({ method, path }) => `${method} ${path}`);
  }

  /** Stores a manifest under its digest and, if given, a tag. */
  manifest(repository: string, value: object, options: { readonly tag?: string; readonly type?: string } = {}): Digest {
    const type = options.type ?? ("manifests" in value ? indexType : imageType);
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, ...value });
    const digest = digestOf(body);
    const reply: Reply = { status: 200, body, headers: { "content-type": type, "docker-content-digest": digest } };
    for (const name of [digest, options.tag]) {
      if (name !== undefined) this.#content.set(`/v2/${repository}/manifests/${name}`, reply);
    }
    return digest;
  }

  blob(repository: string, body: string | Buffer): Digest {
    const digest = digestOf(body);
    this.#content.set(`/v2/${repository}/blobs/${digest}`, { status: 200, body });
    return digest;
  }

  /** An image with a configuration; returns its manifest's digest. */
  image(
    repository: string,
    architecture: string,
    options: { readonly tag?: string; readonly note?: string; readonly labels?: Readonly<Record<string, string>> } = {},
  ): Digest {
    const Labels = { note: options.note ?? "", ...options.labels };
    const config = JSON.stringify({ os: "linux", architecture, config: { Labels } });
    const descriptor = { mediaType: configType, digest: this.blob(repository, config), size: config.length };
    return this.manifest(
      repository,
      { config: descriptor, layers: [] },
      options.tag === undefined ? {} : { tag: options.tag },
    );
  }

  /** An index of one image per architecture; returns the digests. */
  index(
    repository: string,
    tag: string,
    architectures: readonly string[],
    labels: Readonly<Record<string, string>> = {},
  ): { readonly digest: Digest; readonly children: readonly Digest[] } {
    const children = architectures.map((architecture) => this.image(repository, architecture, { labels }));
    const manifests = children.map((digest, position) => ({
      mediaType: imageType,
      digest,
      size: 1,
      platform: { os: "linux", architecture: architectures[position] },
    }));
    return { digest: this.manifest(repository, { manifests }, { tag }), children };
  }

  remove(repository: string, name: string): void {
    this.#content.delete(`/v2/${repository}/manifests/${name}`);
  }

  rule(rule: Rule): void {
    this.#rules.unshift(rule);
  }

  /** Answers requests whose `METHOD path` matches, the first `times` of them. */
  answer(pattern: RegExp, reply: Reply, times = Infinity): void {
    let left = times;
    this.rule(({ method, path }) => (pattern.test(`${method} ${path}`) && left-- > 0 ? reply : undefined));
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    response.on("close", () => this.#atOnce--);
    let body = "";
    for await (const piece of request) body += String(piece);
    const seen = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body,
    };
    this.seen.push(seen);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const ruled = firstReply(this.#rules, seen);
    this.#reply(seen, ruled ?? this.#stored(seen), request, response);
  }

  #stored({ path }: Seen): Reply {
    if (path === "/v2/") return { status: 200, body: "{}" };
    const missing = path.includes("/manifests/")
      ? { status: 404, ...errorBody("MANIFEST_UNKNOWN") }
      : { status: 404, body: "404 page not found" };
    return this.#content.get(path) ?? missing;
  }

  #reply(seen: Seen, reply: Reply, request: IncomingMessage, response: ServerResponse): void {
    if (reply.fault === "hang") return;
    if (reply.fault === "reset") return void request.socket.destroy();
    const body = Buffer.from(reply.body ?? "");
    response.writeHead(reply.status ?? 200, { ...reply.headers, "content-length": String(body.length) });
    if (seen.method === "HEAD") return void response.end();
    if (reply.fault !== "cut") return void response.end(body);
    response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
  }
}

/** Later rules must not count a request that an earlier one answered, so each is asked only when its turn comes. */
function firstReply(rules: readonly Rule[], seen: Seen): Reply | undefined {
  for (const rule of rules) {
    const reply = rule(seen);
    if (reply) return reply;
  }
  return undefined;
}
