import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { FallbackList } from "../../components/registry/fallbackReferrers";
import { type Manifest, parseManifest } from "../../components/registry/manifest";
import { RegistryClient } from "../../components/registry/registryClient";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { LoopbackServer } from "../support/loopbackServer";

const indexType = "application/vnd.oci.image.index.v1+json";
const imageType = "application/vnd.oci.image.manifest.v1+json";
const digestOf = (body: string): Digest => `sha256:${createHash("sha256").update(body).digest("hex")}`;

/** As an index lists it. */
const entry = ({ mediaType, digest, bytes }: Manifest) => ({ mediaType, digest, size: bytes.length });

/** A registry that knows entity tags, and one writer's list at a time. */
class TaggedRegistry extends LoopbackServer {
  readonly content = new Map<string, string>();
  /** Of what was to be a list. */
  readonly conditions: (string | undefined)[] = [];
  /** Says of what is attached that it lists it by itself. */
  saysSo = false;
  /** What it lists by the referrers API, where it has that. */
  api: readonly Manifest[] | undefined;
  /** Digests it does not take. */
  readonly refuses = new Set<string>();
  /** Done once, before the next list is taken. */
  meanwhile: (() => void) | undefined;
  /** What it makes of a body's hash. */
  entityTag = (hash: string): string | undefined => `"${hash}"`;

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.url?.split("/manifests/")[1] ?? "";
    if (request.method === "PUT") {
      const body = await text(request);
      const condition = request.headers["if-match"];
      if (name.startsWith("sha256-")) {
        this.conditions.push(condition);
        this.meanwhile?.();
        this.meanwhile = undefined;
      }
      const now = this.content.get(name);
      if (condition !== undefined && now !== undefined && condition !== this.entityTag(digestOf(now))) {
        return void response.writeHead(412).end();
      }
      if (this.refuses.has(name)) return void response.writeHead(403).end();
      this.content.set(name, body);
      return void response.writeHead(201, this.saysSo ? { "oci-subject": subject } : {}).end();
    }
    if (request.url?.includes("/referrers/") && this.api !== undefined) {
      const list = { schemaVersion: 2, mediaType: indexType, manifests: this.api.map(entry) };
      return void response.writeHead(200, { "content-type": indexType }).end(JSON.stringify(list));
    }
    const body = request.url === "/v2/" ? "{}" : this.content.get(name);
    if (body === undefined) {
      return void response.writeHead(404).end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "" }] }));
    }
    const etag = this.entityTag(digestOf(body));
    const type = (JSON.parse(body) as { mediaType?: string }).mediaType ?? "application/json";
    response.writeHead(200, { "content-type": type, ...(etag !== undefined && { etag }) }).end(body);
  }

  /** An artifact to attach. */
  artifact(note: string): Manifest {
    const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: empty,
      layers: [],
      annotations: { note },
    });
    return parseManifest(note, Buffer.from(body), {
      contentType: imageType,
      contentDigest: undefined,
      expected: undefined,
    });
  }
}

let registry: TaggedRegistry;
let client: RegistryClient;
let writer: RegistryWriter;
let lists: FallbackList;
const subject: Digest = `sha256:${"5".repeat(64)}`;
const tag = subject.replace(":", "-");

beforeEach(async () => {
  registry = await new TaggedRegistry().start();
  client = new RegistryClient({ environment: {}, retryBudgetMs: 1 });
  writer = new RegistryWriter({});
  lists = new FallbackList(client, writer);
});
afterEach(async () => {
  await Promise.all([client.close(), writer.close()]);
  await registry.stop();
});

const name = () => `${registry.host}/o/a`;
const listed = async () => (await client.referrers(name(), subject)).map(({ digest }) => digest);

describe("a list of referrers under a tag", () => {
  it.each([false, true])(
    "is written once for all that is attached together where there is no API, said so or not: %s",
    async (saysSo) => {
      registry.saysSo = saysSo;
      const [first, second] = ["1", "2"].map((note) => registry.artifact(note));
      await lists.attach(name(), subject, [first!, second!]);
      expect(registry.conditions).toHaveLength(1);
      expect(await client.referrers(name(), subject)).toMatchObject(
        [first!, second!].map(({ digest, bytes, annotations }) => ({ digest, size: bytes.length, annotations })),
      );
    },
  );

  it.each([false, true])("is not written where there is the referrers API, said so or not: %s", async (saysSo) => {
    Object.assign(registry, { saysSo, api: [] });
    await lists.attach(name(), subject, [registry.artifact("1")]);
    expect(registry.conditions).toEqual([]);
  });

  it("names what was written before another was refused, which is told", async () => {
    const [first, second] = ["1", "2"].map((note) => registry.artifact(note));
    registry.refuses.add(second!.digest);
    await expect(lists.attach(name(), subject, [first!, second!])).rejects.toMatchObject({ status: 403 });
    expect(await listed()).toEqual([first!.digest]);
  });

  it("replaces the list that was read, and no newer one, where the registry tells them apart", async () => {
    const [first, second, third] = ["1", "2", "3"].map((note) => registry.artifact(note));
    await lists.attach(name(), subject, [first!]);
    registry.meanwhile = () => {
      const theirs = { schemaVersion: 2, mediaType: indexType, manifests: [first!, third!].map(entry) };
      registry.content.set(third!.digest, third!.bytes.toString());
      registry.content.set(tag, JSON.stringify(theirs));
    };
    await lists.attach(name(), subject, [second!]);
    expect(await listed()).toEqual([first!.digest, third!.digest, second!.digest]);
    expect(registry.conditions.map((condition) => condition !== undefined)).toEqual([false, true, true]);
  });

  it.each([
    ["gives no entity tag", () => undefined],
    ["gives weak ones only", (hash: string) => `W/"${hash}"`],
  ])("is written without a condition where the registry %s", async (_, entityTag) => {
    registry.entityTag = entityTag;
    for (const note of ["1", "2"]) await lists.attach(name(), subject, [registry.artifact(note)]);
    expect(await listed()).toHaveLength(2);
    expect(registry.conditions).toEqual([undefined, undefined]);
  });

  it("keeps what is there and cannot be read as a manifest", async () => {
    const old = JSON.stringify({ mediaType: "application/vnd.oci.artifact.manifest.v1+json", blobs: [] });
    registry.content.set(digestOf(old), old);
    const strange = { mediaType: imageType, digest: digestOf(old), size: old.length };
    registry.content.set(tag, JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [strange] }));
    const signature = registry.artifact("signature");
    await lists.attach(name(), subject, [signature]);
    expect(await listed()).toEqual([digestOf(old), signature.digest]);
  });

  it("is added to where it is empty as Go writes it", async () => {
    registry.content.set(tag, JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: null }));
    await lists.tidy(name(), subject);
    const signature = registry.artifact("signature");
    await lists.attach(name(), subject, [signature]);
    expect(await listed()).toEqual([signature.digest]);
  });

  it("gives up when there is always a newer one", async () => {
    await lists.attach(name(), subject, [registry.artifact("1")]);
    registry.entityTag = () => `"${Math.random()}"`;
    await expect(lists.attach(name(), subject, [registry.artifact("2")])).rejects.toMatchObject({ status: 412 });
    expect(registry.conditions).toHaveLength(6);
  });

  it("is begun anew where the registry takes its tag for the manifest itself", async () => {
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [entry(registry.artifact("child"))],
    });
    const own = digestOf(index);
    registry.content.set(own.replace(":", "-"), index);
    expect(await client.referrers(name(), own)).toEqual([]);
    const signature = registry.artifact("signature");
    await lists.attach(name(), own, [signature]);
    expect((await client.referrers(name(), own)).map(({ digest }) => digest)).toEqual([signature.digest]);
  });
});
