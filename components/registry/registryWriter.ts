import type { Digest } from "../model/digest";
import { formatReference, parseReference, type Reference } from "../model/reference";
import { answerError } from "./absentOrUnknown";
import { Authenticator } from "./authenticator";
import { systemClock } from "../system/clock";
import { Connections } from "./connections";
import { DockerCredentials } from "./credentials";
import { type Endpoint, Endpoints } from "./endpoints";
import { ociIndexType } from "./manifest";
import { RegistryError } from "./registryError";
import { Transport, type TransportAnswer, type TransportRequest } from "./transport";

const tryMs = 120_000;
const budgetMs = 180_000;
const longestAnswer = 64 * 1024;

/** A blob that is read as it is written, and anew for each try. */
export interface BlobSource {
  /** Bytes. */
  readonly size: number;
  readonly open: () => Promise<AsyncIterable<Buffer>>;
}

/**
 * Writes blobs and manifests (OCI distribution specification 1.1, "Pushing"). It judges nothing: whoever calls it has verified
 * the bytes, and has made sure that no tag is overwritten. Mirrors of a registry are read from, never written to.
 */
export class RegistryWriter {
  readonly #connections: Connections;
  readonly #endpoints: Endpoints;
  readonly #authenticator: Authenticator;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#connections = new Connections(environment, tryMs);
    const limits = { concurrency: 4, retryBudgetMs: budgetMs, requestTimeoutMs: tryMs };
    const transport = new Transport({ connections: this.#connections, clock: systemClock, ...limits });
    this.#endpoints = new Endpoints(transport, new Map());
    this.#authenticator = new Authenticator(transport, new DockerCredentials(environment), systemClock, "pull,push");
  }

  /**
   * Writes a manifest under its digest, or under a tag.
   * @param reference `registry/repository@sha256:…` or `registry/repository:tag`.
   * @param options.replacing the entity tag of what is to be replaced: a registry that knows them takes nothing else's place.
   * @throws RegistryError when the registry refuses or gives no usable answer; with status 412 when it holds something newer.
   */
  async putManifest(
    reference: string,
    mediaType: string,
    bytes: Buffer,
    options: { readonly replacing?: string | undefined } = {},
  ): Promise<void> {
    const { registry, repository, tag, digest } = parseReference(reference);
    const name = digest ?? tag;
    if (name === undefined) throw new Error(`${JSON.stringify(reference)} names neither a tag nor a digest`);
    const endpoint = await this.#endpoints.for(registry);
    const url = new URL(`/v2/${repository}/manifests/${name}`, endpoint.origin);
    const answer = await this.#send(endpoint, repository, {
      method: "PUT",
      url,
      headers: { "content-type": mediaType, ...(options.replacing && { "if-match": options.replacing }) },
      body: bytes,
    });
    if (answer.status !== 201 && answer.status !== 200) throw answerError(reference, answer, "write");
  }

  /**
   * Asks for a tag as builders do before they write an index under it, and says whether that would end them: they go on at 200
   * and 404, and distribution 3 answers 400 where it had to show a Docker manifest list to somebody who accepts none.
   * @param reference `registry/repository:tag`.
   */
  async stopsBuilders(reference: string): Promise<boolean> {
    const { registry, repository, tag } = parseReference(reference);
    const endpoint = await this.#endpoints.for(registry);
    const answer = await this.#send(endpoint, repository, {
      method: "HEAD",
      url: new URL(`/v2/${repository}/manifests/${tag}`, endpoint.origin),
      headers: { accept: `${ociIndexType}, */*` },
    });
    return answer.status === 400;
  }

  /**
   * Writes a blob, unless it is there.
   * @param repository with its registry.
   * @throws RegistryError as {@link putManifest}.
   */
  async putBlob(repository: string, digest: Digest, content: Buffer | BlobSource): Promise<void> {
    const place = parseReference(repository);
    const endpoint = await this.#endpoints.for(place.registry);
    const present = await this.#send(endpoint, place.repository, {
      method: "HEAD",
      url: new URL(`/v2/${place.repository}/blobs/${digest}`, endpoint.origin),
    });
    if (present.status === 200) return;
    if (present.status !== 404) throw answerError(blobName(place, digest), present, "write");
    await this.putNewBlob(repository, digest, content);
  }

  /**
   * Writes a blob without asking whether it is there: one that was just made is not.
   * @param repository with its registry.
   * @throws RegistryError as {@link putManifest}.
   */
  async putNewBlob(repository: string, digest: Digest, content: Buffer | BlobSource): Promise<void> {
    const place = parseReference(repository);
    const endpoint = await this.#endpoints.for(place.registry);
    const what = blobName(place, digest);
    let ended = await this.#upload(what, endpoint, place, { digest, content });
    // A registry of several machines, or one restarted meanwhile, may have forgotten the upload it began.
    if (ended.status === 404) ended = await this.#upload(what, endpoint, place, { digest, content });
    if (ended.status !== 201) throw answerError(what, ended, "write");
  }

  /**
   * Makes sure that a repository may be written to, which also tells one that does not exist yet from one that refuses: an upload is
   * begun and given up. Nothing is written.
   * @param repository with its registry.
   * @throws RegistryError as {@link putManifest}.
   */
  async tryWriting(repository: string): Promise<void> {
    const place = parseReference(repository);
    const endpoint = await this.#endpoints.for(place.registry);
    const url = await this.#beginUpload(`to ${repository}`, endpoint, place);
    // One that is not given up runs out by itself: some registries know no other way.
    await this.#send(endpoint, place.repository, { method: "DELETE", url }).catch(() => undefined);
  }

  async #upload(
    what: string,
    endpoint: Endpoint,
    place: Reference,
    { digest, content }: { readonly digest: Digest; readonly content: Buffer | BlobSource },
  ): Promise<TransportAnswer> {
    const url = await this.#beginUpload(what, endpoint, place);
    url.searchParams.set("digest", digest);
    const size = Buffer.isBuffer(content) ? content.length : content.size;
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    const body = Buffer.isBuffer(content) ? content : content.open;
    return this.#send(endpoint, place.repository, { method: "PUT", url, headers, body });
  }

  async #beginUpload(what: string, endpoint: Endpoint, place: Reference): Promise<URL> {
    const begun = await this.#send(endpoint, place.repository, {
      method: "POST",
      url: new URL(`/v2/${place.repository}/blobs/uploads/`, endpoint.origin),
      headers: { "content-length": "0" },
    });
    if (begun.status !== 202) throw answerError(what, begun, "write");
    return uploadAddress(what, begun.header("location"), endpoint, place);
  }

  /** Ends all connections. The writer is of no use afterwards. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  #send(
    endpoint: Endpoint,
    repository: string,
    request: Omit<TransportRequest, "bodyLimit">,
  ): Promise<TransportAnswer> {
    return this.#authenticator.send(endpoint, repository, { ...request, bodyLimit: longestAnswer });
  }
}

function blobName(place: Reference, digest: Digest): string {
  return `blob ${formatReference({ ...place, digest })}`;
}

/** Where the bytes go: at the registry itself, whose credentials go along, and nowhere else. Proxies get the scheme wrong. */
function uploadAddress(
  what: string,
  location: string | undefined,
  { origin }: Endpoint,
  { repository }: Reference,
): URL {
  const base = new URL(`/v2/${repository}/blobs/uploads/`, origin);
  const given = location !== undefined && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (given?.host === base.host) return new URL(`${given.pathname}${given.search}`, origin);
  const said = JSON.stringify(given?.origin ?? location ?? "");
  throw new RegistryError("malformed", `cannot write ${what}: it is to be sent to ${said}; accepted is ${origin}`);
}
