import { z } from "zod";
import { type Digest, referrersTag } from "../model/digest";
import type { RegistryClient } from "./registryClient";
import type { RegistryWriter } from "./registryWriter";

const indexType = "application/vnd.oci.image.index.v1+json";
const listSchema = z.looseObject({ manifests: z.array(z.looseObject({ digest: z.string() })) });

/** An entry of a list of referrers. Source: OCI distribution specification 1.1, "Pushing Manifests with Subject". */
export interface ReferrerEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The list of referrers that clients keep under the tag `sha256-<hex>` where a registry has no referrers API.
 * Deleting a referrer leaves its entry there, and a registry that checks what an index lists (distribution does) then
 * refuses every further one. Everything here is to be called under the digest's lock.
 */
export class FallbackList {
  readonly #client: Pick<RegistryClient, "manifest">;
  readonly #writer: Pick<RegistryWriter, "putManifest">;

  constructor(client: Pick<RegistryClient, "manifest">, writer: Pick<RegistryWriter, "putManifest">) {
    this.#client = client;
    this.#writer = writer;
  }

  /**
   * Takes entries out of a digest's list, each only if its manifest is still absent. All else stays as it is.
   * @throws RegistryError when the registry refuses or gives no usable answer.
   */
  async prune(repository: string, digest: Digest, entries: readonly Digest[]): Promise<void> {
    const list = await this.#read(repository, digest);
    if (!list) return;
    const kept = await this.#withoutGone(repository, list.manifests, entries);
    if (kept.length === list.manifests.length) return;
    await this.#write(repository, digest, { ...list, manifests: kept });
  }

  /**
   * Adds an entry to a digest's list, which is begun where there is none. What leads nowhere is taken out, all else stays.
   * @throws RegistryError as {@link prune}.
   */
  async add(repository: string, digest: Digest, entry: ReferrerEntry): Promise<void> {
    const list = (await this.#read(repository, digest)) ?? { schemaVersion: 2, mediaType: indexType, manifests: [] };
    const listed = list.manifests.map((known) => known.digest);
    if (listed.includes(entry.digest)) return;
    const kept = await this.#withoutGone(repository, list.manifests, listed);
    await this.#write(repository, digest, { ...list, manifests: [...kept, { ...entry }] });
  }

  async #read(repository: string, digest: Digest): Promise<List | undefined> {
    const found = await this.#client.manifest(`${repository}:${referrersTag(digest)}`);
    if (found === undefined) return undefined;
    if (found.kind === "index") {
      const { mediaType } = found;
      return { mediaType, ...listSchema.parse(JSON.parse(found.bytes.toString("utf8"))) };
    }
    throw new Error(`${repository}:${referrersTag(digest)} names an image; accepted is a list of referrers`);
  }

  async #withoutGone(
    repository: string,
    manifests: List["manifests"],
    suspects: readonly string[],
  ): Promise<List["manifests"]> {
    const present = await Promise.all(suspects.map((entry) => this.#client.manifest(`${repository}@${entry}`)));
    const gone = new Set(suspects.filter((_, position) => present[position] === undefined));
    return manifests.filter((entry) => !gone.has(entry.digest));
  }

  async #write(repository: string, digest: Digest, list: List): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(list));
    await this.#writer.putManifest(`${repository}:${referrersTag(digest)}`, list.mediaType, bytes);
  }
}

type List = z.output<typeof listSchema> & { readonly mediaType: string };
