import { z } from "zod";
import { type Digest, referrersTag } from "../model/digest";
import type { RegistryClient } from "./registryClient";
import { RegistryError } from "./registryError";
import type { RegistryWriter } from "./registryWriter";

const indexType = "application/vnd.oci.image.index.v1+json";
const mostTries = 5;
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
    await this.#change(repository, digest, async (list) => {
      if (!list) return undefined;
      const manifests = await this.#withoutGone(repository, list.manifests, entries);
      return manifests.length === list.manifests.length ? undefined : { ...list, manifests };
    });
  }

  /**
   * Adds an entry to a digest's list, which is begun where there is none. What leads nowhere is taken out, all else stays.
   * @throws RegistryError as {@link prune}.
   */
  async add(repository: string, digest: Digest, entry: ReferrerEntry): Promise<void> {
    await this.#change(repository, digest, async (found) => {
      const list = found ?? { schemaVersion: 2, mediaType: indexType, manifests: [] };
      const listed = list.manifests.map((known) => known.digest);
      if (listed.includes(entry.digest)) return undefined;
      const kept = await this.#withoutGone(repository, list.manifests, listed);
      return { ...list, manifests: [...kept, { ...entry }] };
    });
  }

  /** Reads, changes and writes back; again when somebody else wrote in between, where the registry notices. */
  async #change(
    repository: string,
    digest: Digest,
    change: (list: List | undefined) => Promise<List | undefined>,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const found = await this.#read(repository, digest);
      const list = await change(found?.list);
      if (!list) return;
      const bytes = Buffer.from(JSON.stringify(list));
      const replacing = found?.entityTag;
      try {
        await this.#writer.putManifest(`${repository}:${referrersTag(digest)}`, list.mediaType, bytes, { replacing });
        return;
      } catch (error) {
        if (!(error instanceof RegistryError) || error.status !== 412 || tries === mostTries) throw error;
      }
    }
  }

  async #read(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly list: List; readonly entityTag: string | undefined } | undefined> {
    const found = await this.#client.manifest(`${repository}:${referrersTag(digest)}`);
    if (found === undefined || found.digest === digest) return undefined;
    if (found.kind === "index") {
      const { mediaType, entityTag } = found;
      return { list: { mediaType, ...listSchema.parse(JSON.parse(found.bytes.toString("utf8"))) }, entityTag };
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
}

type List = z.output<typeof listSchema> & { readonly mediaType: string };
