import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { type AttestationKind, kindOf, predicateTypes } from "../../components/model/attestationKind";
import type { Digest } from "../../components/model/digest";
import { LoopbackServer } from "../support/loopbackServer";
import { testBundle, testKey, type TestSigner } from "./bundles";

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

/** A bundle attached to a digest. */
export interface Attached {
  readonly kind: AttestationKind;
  readonly digest: Digest;
  /** The predicate, for kinds that have one worth reading. */
  readonly predicate?: string;
  /** Not ours: does not verify. */
  readonly foreign?: boolean;
}

interface Entry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface WrittenManifest {
  readonly layers: readonly { readonly digest: Digest }[];
  readonly subject: { readonly digest: Digest };
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface WrittenBundle {
  readonly dsseEnvelope: { readonly payload: string };
}

const ours = testKey();
const theirs = testKey();

/** A registry on loopback with one repository, `test/app`, that holds an index and what is attached to it, and takes more. */
export class AttestedRegistry extends LoopbackServer {
  readonly requests: string[] = [];
  /** Answers with this status from now on. */
  outage: number | undefined;
  /** Called when a bundle that was written is listed. */
  afterAttach: (subject: Digest, kind: AttestationKind, digest: Digest) => void = () => undefined;
  /** Most that wrote the list of one digest at once. */
  mostListWriters = 0;
  /** How many of its answers still leave out what was written, where it has the referrers API. */
  late = 0;
  /** Answers every write with a refusal. */
  refusesWrites = false;
  readonly tags = new Map<string, Digest>();
  readonly #written = new Set<Digest>();
  readonly #listWriters = new Map<Digest, number>();
  readonly #api: boolean;
  readonly #content = new Map<string, { readonly type: string; readonly body: string }>();
  readonly #lists = new Map<Digest, Entry[]>();
  readonly #attached = new Map<Digest, Attached & { readonly subject: Digest }>();
  /** What lists call a bundle. */
  listedType: string | undefined = bundleType;
  /** Signs what is attached. */
  signer: TestSigner = ours;
  /** The key that signs unless another one is set. */
  readonly publicKey = ours.publicKey;
  readonly index: Digest;
  readonly platforms: Readonly<Record<"linux/amd64" | "linux/arm64", Digest>>;

  /** @param api whether it has the referrers API; otherwise lists are fallback tags without annotations. */
  constructor(api: boolean) {
    super();
    this.#api = api;
    this.platforms = { "linux/amd64": this.image("amd64"), "linux/arm64": this.image("arm64") };
    this.index = this.publish("1.0.0", Object.entries(this.platforms));
  }

  /** Stores an image for Linux. */
  image(architecture: string, name = architecture): Digest {
    const config = this.#blob(JSON.stringify({ os: "linux", architecture, config: { Labels: { version: "1.2.3" } } }));
    return this.#store(imageType, { config, layers: [], annotations: { name } });
  }

  /** Stores an index, which may list anything, under a tag. @param properties of the index itself. */
  publish(
    tag: string,
    children: readonly (readonly [platform: string, digest: Digest])[],
    properties: object = {},
  ): Digest {
    const manifests = children.map(([platform, digest]) => {
      const [os, architecture] = platform.split("/");
      return { mediaType: imageType, digest, size: 1, platform: { os, architecture } };
    });
    const digest = this.#store(indexType, { manifests, ...properties });
    this.tags.set(tag, digest);
    return digest;
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const body = (await buffer(request)).toString();
    if (url !== "/v2/") this.requests.push(`${method} ${url}`);
    const { status, type, text, headers } = await this.#answer(method, url, body);
    response.writeHead(status, { "content-type": type, ...headers }).end(method === "HEAD" ? undefined : text);
  }

  get repository(): string {
    return `${this.host}/test/app`;
  }

  /** Attaches a bundle as cosign does. */
  attach(
    subject: Digest,
    kind: AttestationKind,
    options: { readonly predicate?: string; readonly foreign?: boolean } = {},
  ): Digest {
    const { predicate = "{}", foreign = false } = options;
    const bundle = testBundle(subject, kind, foreign ? theirs : this.signer, JSON.parse(predicate));
    return this.attachText(subject, kind, JSON.stringify(bundle), options);
  }

  /** Attaches to one digest what is attached to another. */
  copy(from: Digest, kind: AttestationKind, to: Digest): void {
    const found = this.attached(from).find((attached) => attached.kind === kind);
    if (found === undefined) throw new Error(`no ${kind} is attached to ${from}`);
    const { layers } = JSON.parse(this.#content.get(found.digest)?.body ?? "") as { layers: { digest: string }[] };
    this.attachText(to, kind, this.#content.get(layers[0]?.digest ?? "")?.body ?? "");
  }

  /** Deletes the content of a bundle, and not its manifest. */
  removeBlob(digest: Digest): void {
    const { layers } = JSON.parse(this.#content.get(digest)?.body ?? "") as { layers: { digest: string }[] };
    this.#content.delete(layers[0]?.digest ?? "");
  }

  /** Attaches anything as a bundle. */
  attachText(
    subject: Digest,
    kind: AttestationKind,
    text: string,
    options: { readonly predicate?: string; readonly foreign?: boolean } = {},
  ): Digest {
    const annotations = {
      "dev.sigstore.bundle.predicateType": predicateTypes[kind],
      serial: String(this.#attached.size),
    };
    const layers = [{ ...this.#blob(text), mediaType: bundleType }];
    const manifest = { artifactType: bundleType, config: this.#blob("{}"), layers, annotations };
    const digest = this.#store(imageType, manifest);
    this.#attached.set(digest, { subject, kind, digest, ...options });
    this.list(subject, {
      mediaType: imageType,
      digest,
      size: 1,
      ...(this.listedType !== undefined && { artifactType: this.listedType }),
      ...(this.#api && { annotations }),
    });
    return digest;
  }

  /** Attaches anything as a manifest; the list does not say what it is. */
  attachManifest(subject: Digest, manifest: { readonly mediaType: string }): void {
    const digest = this.#store(manifest.mediaType, manifest);
    this.list(subject, { mediaType: imageType, digest, size: 1 });
  }

  /** Adds any entry to a digest's list. */
  list(subject: Digest, entry: Entry): void {
    this.#lists.set(subject, [...(this.#lists.get(subject) ?? []), entry]);
  }

  /** What is listed and exists. */
  attached(subject: Digest): readonly Attached[] {
    return (this.#lists.get(subject) ?? []).flatMap(({ digest }) => this.#attached.get(digest) ?? []);
  }

  /** Drops a bundle from the list, as a concurrent writer does. */
  lose(subject: Digest, lost: Digest): void {
    this.#lists.set(
      subject,
      (this.#lists.get(subject) ?? []).filter(({ digest }) => digest !== lost),
    );
  }

  /** Deletes a bundle's manifest; the list of a registry without the API keeps its entry. */
  remove(subject: Digest, digest: Digest): void {
    this.#content.delete(digest);
    this.#attached.delete(digest);
    if (this.#api) this.lose(subject, digest);
  }

  dangling(subject: Digest): readonly Digest[] {
    return (this.#lists.get(subject) ?? []).map(({ digest }) => digest).filter((digest) => !this.#content.has(digest));
  }

  async #answer(method: string, url: string, body: string): Promise<Answer> {
    const json = (status: number, text: string, type = "application/json"): Answer => ({ status, type, text });
    const unknown = json(404, JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "" }] }));
    if (url === "/v2/") return json(200, "{}");
    if (this.outage !== undefined)
      return json(this.outage, JSON.stringify({ errors: [{ code: "DENIED", message: "" }] }));
    const [, kind, name = ""] = /^\/v2\/test\/app\/(manifests|referrers|blobs)\/([^?]+)/.exec(url) ?? [];
    const digest = name.replace(/^sha256-/, "sha256:") as Digest;
    const list = kind === "referrers" ? this.#early(digest) : this.#lists.get(digest);
    const listed = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: list ?? [] });
    if (kind === "referrers")
      return this.#api ? json(200, listed, indexType) : json(404, "404 page not found", "text/plain");
    if (this.refusesWrites && !["GET", "HEAD"].includes(method))
      return json(403, JSON.stringify({ errors: [{ code: "DENIED", message: "read only" }] }));
    if (method === "POST") return { ...json(202, ""), headers: { location: "/v2/test/app/blobs/uploads/1" } };
    if (method === "PUT" && kind === "blobs") {
      this.#blob(body);
      return json(201, "");
    }
    if (method === "PUT" && name.startsWith("sha256-"))
      return json((await this.#takeList(digest, body)) ? 201 : 400, "");
    if (method === "PUT") return { ...json(201, ""), headers: this.#takeBundle(digest, body) };
    if (name.startsWith("sha256-")) return list && !this.#api ? json(200, listed, indexType) : unknown;
    const content = this.#content.get(this.tags.get(name) ?? name);
    return content ? json(200, content.body, content.type) : unknown;
  }

  #early(subject: Digest): readonly Entry[] | undefined {
    const list = this.#lists.get(subject);
    const early = list?.filter(({ digest }) => !this.#written.has(digest));
    if (this.late === 0 || early?.length === list?.length) return list;
    this.late--;
    return early;
  }

  /** As distribution does: all it lists has to be there. Slowly, so that two writers meet. */
  async #takeList(subject: Digest, body: string): Promise<boolean> {
    const writers = (this.#listWriters.get(subject) ?? 0) + 1;
    this.#listWriters.set(subject, writers);
    this.mostListWriters = Math.max(this.mostListWriters, writers);
    await setTimeout(30);
    this.#listWriters.set(subject, (this.#listWriters.get(subject) ?? 0) - 1);
    const { manifests } = JSON.parse(body) as { manifests: Entry[] };
    if (manifests.some(({ digest }) => !this.#content.has(digest))) return false;
    const before = (this.#lists.get(subject) ?? []).map(({ digest }) => digest);
    this.#lists.set(subject, manifests);
    for (const { digest } of manifests) if (!before.includes(digest)) this.#listed(digest);
    return true;
  }

  #takeBundle(digest: Digest, body: string): Readonly<Record<string, string>> {
    const manifest = JSON.parse(body) as WrittenManifest;
    const { subject, artifactType, annotations } = manifest;
    const bundle = JSON.parse(this.#content.get(manifest.layers[0]?.digest ?? "")?.body ?? "") as WrittenBundle;
    const { predicate } = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString()) as {
      predicate: unknown;
    };
    const kind = kindOf(annotations["dev.sigstore.bundle.predicateType"]);
    if (kind === undefined) throw new Error(`no bundle of ours: ${body}`);
    this.#content.set(digest, { type: imageType, body });
    this.#attached.set(digest, { subject: subject.digest, kind, digest, predicate: JSON.stringify(predicate) });
    this.#written.add(digest);
    if (!this.#api) return {};
    this.list(subject.digest, { mediaType: imageType, digest, size: body.length, artifactType, annotations });
    this.#listed(digest);
    return { "oci-subject": subject.digest };
  }

  #listed(digest: Digest): void {
    const attached = this.#attached.get(digest);
    if (attached) this.afterAttach(attached.subject, attached.kind, digest);
  }

  #store(type: string, value: object): Digest {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, ...value });
    const digest: Digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    this.#content.set(digest, { type, body });
    return digest;
  }

  #blob(text: string): { mediaType: string; digest: Digest; size: number } {
    const digest: Digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    this.#content.set(digest, { type: "application/octet-stream", body: text });
    return { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: text.length };
  }
}
