import type { Readable } from "node:stream";
import { type Digest, digestOfBytes, isDigest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { Probe } from "../model/probe";
import { formatReference, parseReference, type Reference } from "../model/reference";
import { answerError, unknownProbe, verdictOf } from "./absentOrUnknown";
import { Authenticator } from "./authenticator";
import { type Clock, systemClock } from "../system/clock";
import { cacheDirectory } from "../system/cacheDirectory";
import { Connections, type Guard } from "./connections";
import { type Credentialed, DockerCredentials } from "./credentials";
import { Endpoints } from "./endpoints";
import { type ImageConfiguration, imageConfigurationTypes, parseImageConfiguration } from "./imageConfiguration";
import {
  acceptedManifests,
  type Descriptor,
  type ImageManifest,
  type Manifest,
  manifestKind,
  parseManifest,
} from "./manifest";
import { countsReads, ManifestCache } from "./manifestCache";
import { type MirrorMap, readMirrors } from "./mirrors";
import { presentProbe } from "./presentProbe";
import { hasReferrersApi, listReferrers, type ReferrersSource } from "./referrers";
import { listTags } from "./tagList";
import { RegistryError } from "./registryError";
import { Transport, type TransportAnswer, type TransportRequest } from "./transport";
import { verifiedStream } from "./verifiedStream";

/** Settings of a client; all have defaults. */
export interface RegistryClientOptions {
  /**
   * Variables to obey, default `process.env`: DOCKER_CONFIG, HOME, PATH (credential helpers), SSL_CERT_FILE,
   * NODE_EXTRA_CA_CERTS, HTTP_PROXY, HTTPS_PROXY, NO_PROXY, MIRROR_REGISTRY_MIRRORS.
   */
  readonly environment?: NodeJS.ProcessEnv;
  /** Requests under way at once, over all registries. Default 64: a namespace of a thousand versions is three thousand short questions. */
  readonly concurrency?: number;
  /** How long one request may be retried, in milliseconds. Default 60,000. */
  readonly retryBudgetMs?: number;
  /** How long one try may take, in milliseconds; for a blob, between two pieces of it. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Registry host → `host[:port][/path]` to read from instead. Default: the JSON in MIRROR_REGISTRY_MIRRORS. */
  readonly mirrors?: MirrorMap;
  readonly clock?: Clock;
  /** Read as somebody who has no account anywhere. */
  readonly anonymous?: boolean;
  /** Registries whose manifests are kept once read, so that they are asked by HEAD from then on. Default: {@link countsReads}. */
  readonly countsReads?: (registry: string) => boolean;
  /** Upstream names the registries that are asked. Default: whoever made the configuration does. */
  readonly guard?: Guard;
}

/** 4 MiB: what registries accept at most as a manifest, and the distribution specification asks clients to expect. */
const longestManifest = 4 * 1024 * 1024;
const longestConfiguration = 16 * 1024 * 1024;
/** Registries that know no pages send all tags at once. */
const longestTagPage = 16 * 1024 * 1024;

const nobody: Credentialed = { for: async () => undefined, forget: () => undefined };

/**
 * A read-only client of OCI registries (OCI distribution specification 1.1). It knows three answers: present, absent
 * and trouble ({@link verdictOf}), which throws a {@link RegistryError}.
 *
 * No npm package fits, as looked at in 2026-11: `@sigstore/oci` 0.7 exports attaching and a digest look-up only, takes any
 * 404 for "none" and wants Node 22; `@snyk/docker-registry-v2-client` 4.0 follows an index to one platform's
 * manifest; `docker-registry-client` 3.4 is of the Node 0.10 age. None obeys Retry-After or asks Docker's credential helpers.
 *
 * One client keeps connections and tokens and is meant to be shared by a whole run.
 */
export class RegistryClient {
  readonly #connections: Connections;
  readonly #endpoints: Endpoints;
  readonly #authenticator: Authenticator;
  readonly #countsReads: (registry: string) => boolean;
  readonly #kept: ManifestCache;
  /** Registries seen to lack the referrers API. */
  readonly #withoutReferrers = new Set<string>();

  /** @throws Error when a setting or variable is malformed. Sends nothing. */
  constructor(options: RegistryClientOptions = {}) {
    const { environment = process.env, concurrency = 64, clock = systemClock } = options;
    const { retryBudgetMs = 60_000, requestTimeoutMs = 30_000 } = options;
    this.#countsReads = options.countsReads ?? countsReads;
    this.#kept = new ManifestCache(cacheDirectory(environment));
    this.#connections = new Connections(environment, requestTimeoutMs, options.guard);
    const transport = new Transport({
      connections: this.#connections,
      clock,
      concurrency,
      retryBudgetMs,
      requestTimeoutMs,
    });
    this.#endpoints = new Endpoints(transport, readMirrors(options.mirrors, environment));
    this.#authenticator = new Authenticator(
      transport,
      options.anonymous ? nobody : new DockerCredentials(environment),
      clock,
    );
  }

  /**
   * What the registry says about a reference: one request for an index, and one for each of its children to see
   * whether they exist. Never throws for trouble: that is the answer "unknown". For a single image its
   * configuration is read, to learn the platform.
   * @param options.skipChildren believe that what the index lists exists, which saves the requests.
   * @throws Error when the reference is malformed.
   */
  async probe(reference: string, options: { readonly skipChildren?: boolean } = {}): Promise<Probe> {
    const parsed = parseReference(reference);
    try {
      const manifest = await this.#read(parsed);
      if (!manifest) return { state: "absent" };
      const { registry, repository } = parsed;
      const child = (digest: Digest) => ({ registry, repository, digest });
      return await presentProbe(manifest, {
        exists: async (digest) => options.skipChildren || (await this.#has(child(digest))),
        platform: async (image) => (await this.imageConfig(`${registry}/${repository}`, image)).platform,
        platformOf: ({ digest, mediaType }) => this.#platformOf(child(digest), manifestKind(mediaType) === "image"),
        nested: async (digest) => {
          const nested = await this.#read(child(digest));
          return nested?.kind === "index" ? nested : undefined;
        },
      });
    } catch (error) {
      return unknownProbe(error);
    }
  }

  /**
   * The platform of an image; undefined of anything else.
   * @param described the index says that it is a manifest. Else it may be anything.
   */
  async #platformOf(
    reference: Reference & { readonly digest: Digest },
    described: boolean,
  ): Promise<Platform | undefined> {
    const manifest = await this.#read(reference).catch((error: unknown) => {
      if (!described && error instanceof RegistryError && error.kind === "malformed") return undefined;
      throw error;
    });
    if (manifest?.kind !== "image" || !imageConfigurationTypes.includes(manifest.config.mediaType)) return undefined;
    return (await this.imageConfig(`${reference.registry}/${reference.repository}`, manifest)).platform;
  }

  /**
   * Reads an index or manifest by tag or digest (by digest where both are given; `latest` where neither is).
   * Undefined when it is absent.
   * @throws RegistryError when the registry's answer is anything else; Error when the reference is malformed.
   */
  async manifest(reference: string): Promise<Manifest | undefined> {
    return this.#read(parseReference(reference));
  }

  /** Whether a manifest exists; costs one HEAD request. @throws as {@link manifest}. */
  async exists(reference: string): Promise<boolean> {
    return this.#has(parseReference(reference));
  }

  /**
   * Reads the configuration of an image: platform, labels, how it runs.
   * @param repository with its registry: `ghcr.io/owner/name`.
   * @throws RegistryError, malformed when the manifest is of no image or the configuration is missing.
   */
  async imageConfig(repository: string, manifest: ImageManifest): Promise<ImageConfiguration> {
    const { digest, mediaType } = manifest.config;
    const what = `configuration of ${repository}@${manifest.digest}`;
    if (!imageConfigurationTypes.includes(mediaType)) {
      const accepted = `accepted are ${imageConfigurationTypes.join(", ")}`;
      throw new RegistryError(
        "malformed",
        `cannot read ${what}: it has media type ${JSON.stringify(mediaType)}; ${accepted}`,
      );
    }
    const { body } = await this.#get(parseReference(repository), what, `blobs/${digest}`, {
      bodyLimit: longestConfiguration,
    });
    const actual = digestOfBytes(body);
    if (actual === digest) return parseImageConfiguration(`${what}, of type ${mediaType},`, body);
    throw new RegistryError("malformed", `cannot read ${what}: the body has digest ${actual}, not ${digest}`);
  }

  /**
   * Reads a blob as a stream. Its digest is verified at the end, where a wrong one is an error on the stream; a
   * stream cut off in the middle is an error too and is not retried.
   * @param repository with its registry: `ghcr.io/owner/name`.
   * @throws RegistryError when it cannot be had, malformed with status 404 when the registry lacks it.
   */
  async blob(repository: string, digest: Digest): Promise<Readable> {
    const what = `blob ${repository}@${digest}`;
    const request = { bodyLimit: longestManifest, stream: true } as const;
    const { stream } = await this.#get(parseReference(repository), what, `blobs/${digest}`, request);
    if (!stream) throw new Error(`no stream came for ${what}`);
    return verifiedStream(what, stream, digest);
  }

  /**
   * Lists what refers to a manifest: signatures, attestations. Reads the referrers API, or, where a registry has
   * none, the fallback tag `sha256-<hex>`. Empty when there are none.
   * @param repository with its registry: `ghcr.io/owner/name`.
   * @throws RegistryError when the answer is neither a list nor a clear "none".
   */
  async referrers(
    repository: string,
    digest: Digest,
    options: { readonly artifactType?: string } = {},
  ): Promise<readonly Descriptor[]> {
    const reference = { ...parseReference(repository), digest };
    const all = await listReferrers(reference, options.artifactType, this.#referrersSource(reference));
    return all.filter(
      ({ artifactType }) => options.artifactType === undefined || artifactType === options.artifactType,
    );
  }

  /**
   * Whether the registry lists by itself what refers to a manifest, as it has the referrers API.
   * @throws RegistryError as {@link referrers}.
   */
  async listsReferrers(repository: string, digest: Digest): Promise<boolean> {
    const reference = { ...parseReference(repository), digest };
    return hasReferrersApi(reference, this.#referrersSource(reference));
  }

  /**
   * All tags of a repository.
   * @param repository with its registry: `ghcr.io/owner/name`.
   * @throws RegistryError when the list cannot be read to its end, or there is no such repository.
   */
  async tags(repository: string): Promise<readonly string[]> {
    const reference = parseReference(repository);
    return listTags(formatReference(reference), (path) => this.#send(reference, path, { bodyLimit: longestTagPage }));
  }

  /**
   * Labels of an image, of an index those of the first of its platforms.
   * @throws RegistryError when they cannot be had, malformed when the reference is absent or no image of a platform is in it.
   */
  async labels(reference: string): Promise<Readonly<Record<string, string>>> {
    const { registry, repository } = parseReference(reference);
    const named = await this.manifest(reference);
    const first = named?.kind === "index" ? named.manifests.find(({ platform }) => platform)?.digest : undefined;
    const image = first === undefined ? named : await this.manifest(`${registry}/${repository}@${first}`);
    if (image?.kind === "image") return (await this.imageConfig(`${registry}/${repository}`, image)).labels;
    throw new RegistryError("malformed", `cannot read labels of ${reference}: there is no image of a platform`);
  }

  /**
   * Whether a registry accepts the credentials configured for it, whatever they may do there. False when it wants some and there
   * are none.
   * @param registry host and port: `ghcr.io`.
   * @throws RegistryError when there is no clear answer.
   */
  async accepts(registry: string): Promise<boolean> {
    return this.#authenticator.accepts(await this.#endpoints.for(registry));
  }

  /** Ends all connections, requests under way included. The client is of no use afterwards. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  #referrersSource(reference: Reference): ReferrersSource {
    const { registry, repository } = reference;
    return {
      withoutApi: this.#withoutReferrers,
      get: (path) => this.#send(reference, path, { headers: { accept: acceptedManifests }, keepRedirect: true }),
      manifest: (tag) => this.#read({ registry, repository, tag }),
    };
  }

  async #read(reference: Reference): Promise<Manifest | undefined> {
    if (!this.#countsReads(reference.registry)) return this.#fetch(reference);
    const named = await this.#head(reference);
    const kept = named?.digest && (await this.#kept.get(named.digest));
    if (kept) return withEntityTag(kept, named.entityTag);
    const manifest = await this.#fetch(reference);
    if (manifest) await this.#kept.put(manifest);
    return manifest;
  }

  async #fetch(reference: Reference): Promise<Manifest | undefined> {
    const what = formatReference(reference);
    const answer = await this.#send(reference, manifestPath(reference), { headers: { accept: acceptedManifests } });
    const verdict = verdictOf(answer);
    if (verdict === "absent") return undefined;
    if (verdict !== "present") throw answerError(what, answer);
    const [contentType, contentDigest] = [answer.header("content-type"), answer.header("docker-content-digest")];
    const manifest = parseManifest(what, answer.body, { contentType, contentDigest, expected: reference.digest });
    return withEntityTag(manifest, answer.header("etag"));
  }

  async #has(reference: Reference): Promise<boolean> {
    // The answer to HEAD has no body, so it cannot say why; neither a 404 nor anything odd is believed without one.
    return (await this.#head(reference)) !== undefined || (await this.#fetch(reference)) !== undefined;
  }

  /** What HEAD says of a manifest that is there; undefined where that is not clear. */
  async #head(reference: Reference): Promise<{ readonly digest?: Digest; readonly entityTag?: string } | undefined> {
    const request = { method: "HEAD", headers: { accept: acceptedManifests } } as const;
    const answer = await this.#send(reference, manifestPath(reference), request);
    if (answer.status !== 200 || !manifestKind(answer.header("content-type"))) return undefined;
    const [claimed, entityTag] = [answer.header("docker-content-digest"), answer.header("etag")];
    const digest = reference.digest ?? claimed;
    if (claimed !== undefined && claimed !== digest) return undefined;
    return { ...(isDigest(digest) && { digest }), ...(entityTag !== undefined && { entityTag }) };
  }

  async #get(
    reference: Reference,
    what: string,
    path: string,
    request: Pick<TransportRequest, "bodyLimit" | "stream">,
  ): Promise<TransportAnswer> {
    const answer = await this.#send(reference, path, request);
    if (answer.status !== 200) throw answerError(what, answer);
    return answer;
  }

  async #send(
    { registry, repository }: Reference,
    path: string,
    request: Partial<TransportRequest>,
  ): Promise<TransportAnswer> {
    const endpoint = await this.#endpoints.for(registry);
    const name = `${endpoint.prefix}${repository}`;
    const url = new URL(`/v2/${name}/${path}`, endpoint.origin);
    return this.#authenticator.send(endpoint, name, { method: "GET", url, bodyLimit: longestManifest, ...request });
  }
}

function withEntityTag(manifest: Manifest, entityTag: string | undefined): Manifest {
  return entityTag?.startsWith('"') ? { ...manifest, entityTag } : manifest;
}

function manifestPath({ tag, digest }: Reference): string {
  return `manifests/${digest ?? tag ?? "latest"}`;
}
