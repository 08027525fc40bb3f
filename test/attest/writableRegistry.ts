import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Digest } from "../../components/model/digest";
import { LoopbackServer } from "../support/loopbackServer";

export const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

interface Stored {
  readonly type: string;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A request as it came. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a test attaches to a manifest. */
export interface Attachment {
  readonly payload: string;
  readonly type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Says that it is attached to another manifest than it is listed for. */
  readonly subject?: Digest;
}

/**
 * A registry on loopback that takes whatever is well-formed, as the distribution specification has it; with the referrers API,
 * or, as distribution and ghcr.io, without. Names of content are `repository digest` and `repository tag`.
 */
export class WritableRegistry extends LoopbackServer {
  readonly requests: string[] = [];
  readonly authorizations = new Set<string>();
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Stored>();
  /** Answers before anything else does. */
  rule: (asked: Asked) => Answer | undefined = () => undefined;
  /** Where uploads are to be sent. */
  location: (path: string) => string = (path) => path;

  constructor(readonly api: boolean) {
    super();
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://localhost");
    const { method = "", headers } = request;
    if (url.pathname !== "/v2/") this.requests.push(`${method} ${url.pathname}`);
    if (headers.authorization !== undefined) this.authorizations.add(headers.authorization);
    const sent = await buffer(request).catch(() => undefined);
    // The client gave up in the middle.
    if (sent === undefined) return;
    const asked = { method, path: url.pathname, query: url.searchParams, headers, body: sent };
    const answer = this.rule(asked) ?? this.#answer(asked);
    const body = Buffer.from(answer.body ?? "");
    response.writeHead(answer.status, { ...answer.headers, "content-length": String(body.length) });
    response.end(method === "HEAD" ? undefined : body);
  }

  get writes(): readonly string[] {
    return this.requests.filter((request) => !/^(?:GET|HEAD) /.test(request));
  }

  put(repository: string, value: object, tag?: string): Digest {
    const type = "manifests" in value ? indexType : imageType;
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, ...value }));
    const digest = digestOf(body);
    for (const name of [digest, ...(tag === undefined ? [] : [tag])])
      this.manifests.set(`${repository} ${name}`, { type, body });
    return digest;
  }

  blob(
    repository: string,
    body: string,
  ): { readonly mediaType: string; readonly digest: Digest; readonly size: number } {
    const bytes = Buffer.from(body);
    this.blobs.set(`${repository} ${digestOf(bytes)}`, bytes);
    return { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length };
  }

  /** Attaches something to a manifest, as a client of this registry does. */
  attach(repository: string, to: Digest, { payload, type = "example/signature", ...more }: Attachment): Digest {
    const subject = { mediaType: imageType, digest: more.subject ?? to, size: 2 };
    const { annotations } = more;
    const config = { ...this.blob(repository, "{}"), mediaType: "application/vnd.oci.empty.v1+json" };
    const layers = [this.blob(repository, payload)];
    const digest = this.put(repository, { artifactType: type, config, layers, subject, annotations });
    const entry = { mediaType: imageType, digest, size: 1, artifactType: type };
    if (!this.api || more.subject !== undefined) {
      this.put(repository, { manifests: [...this.listed(repository, to), entry] }, to.replace(":", "-"));
    }
    return digest;
  }

  /** Entries of the list of a registry without the API. */
  listed(repository: string, subject: Digest): readonly { readonly digest: Digest }[] {
    const list = this.manifests.get(`${repository} ${subject.replace(":", "-")}`);
    return list ? (JSON.parse(list.body.toString()) as { manifests: { digest: Digest }[] }).manifests : [];
  }

  #answer(asked: Asked): Answer {
    const { method, path, query, headers, body } = asked;
    if (path === "/v2/") return { status: 200, body: "{}" };
    const [, repository = "", kind = "", name = ""] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers)\/(.*)$/.exec(path) ?? [];
    if (kind === "blobs/uploads") {
      if (method === "POST") return { status: 202, headers: { location: this.location(`${path}1?state=x`) } };
      if (query.get("digest") !== digestOf(body)) return { status: 400, body: error("DIGEST_INVALID") };
      this.blobs.set(`${repository} ${digestOf(body)}`, body);
      return { status: 201 };
    }
    if (kind === "blobs") {
      const blob = this.blobs.get(`${repository} ${name}`);
      return blob ? { status: 200, body: blob } : { status: 404, body: error("BLOB_UNKNOWN") };
    }
    if (kind === "referrers") return this.#referrers(repository, name);
    if (method === "PUT") return this.#take(repository, name, String(headers["content-type"]), body);
    const found = this.manifests.get(`${repository} ${name}`);
    if (!found) return { status: 404, body: error("MANIFEST_UNKNOWN") };
    const named = { "content-type": found.type, "docker-content-digest": digestOf(found.body) };
    return { status: 200, headers: named, body: found.body };
  }

  #referrers(repository: string, subject: string): Answer {
    if (!this.api) return { status: 404, body: "404 page not found" };
    const manifests = [...this.manifests].flatMap(([key, { type, body }]) => {
      const value = JSON.parse(body.toString()) as { subject?: { digest: string }; artifactType?: string };
      const [place, digest] = key.split(" ");
      if (place !== repository || value.subject?.digest !== subject || !digest?.startsWith("sha256:")) return [];
      return [{ mediaType: type, digest, size: body.length, artifactType: value.artifactType }];
    });
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
    return { status: 200, headers: { "content-type": indexType }, body };
  }

  /** As distribution does: what a manifest names has to be there. */
  #take(repository: string, name: string, type: string, body: Buffer): Answer {
    const value = JSON.parse(body.toString()) as Record<"config" | "subject", { digest: string } | undefined> &
      Record<"layers" | "manifests", { digest: string }[] | undefined>;
    const blobs = [...(value.config ? [value.config] : []), ...(value.layers ?? [])];
    const lacking = [
      ...blobs.filter(({ digest }) => !this.blobs.has(`${repository} ${digest}`)),
      ...(value.manifests ?? []).filter(({ digest }) => !this.manifests.has(`${repository} ${digest}`)),
    ];
    if (lacking.length > 0) return { status: 400, body: error("MANIFEST_BLOB_UNKNOWN") };
    for (const key of [name, digestOf(body)]) this.manifests.set(`${repository} ${key}`, { type, body });
    const { subject } = value;
    return { status: 201, headers: subject && this.api ? { "oci-subject": subject.digest } : {} };
  }
}

export function digestOf(body: Buffer): Digest {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

export function error(code: string): string {
  return JSON.stringify({ errors: [{ code, message: "" }] });
}
