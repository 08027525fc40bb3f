import { type Digest, referrersTag } from "../model/digest";
import { changeList, emptyList, goneFrom, type ListAccess, type TaggedList } from "./taggedList";

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
  readonly #access: ListAccess;

  constructor(client: ListAccess["client"], writer: ListAccess["writer"]) {
    this.#access = { client, writer };
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
      const list = found ?? emptyList;
      const listed = list.manifests.map((known) => known.digest);
      if (listed.includes(entry.digest)) return undefined;
      const kept = await this.#withoutGone(repository, list.manifests, listed);
      return { ...list, manifests: [...kept, { ...entry }] };
    });
  }

  /**
   * Makes a digest's list fit to be read and added to by tools that know less: entries that lead nowhere, over which a builder
   * that copies an image fails, are taken out, and where the registry takes the tag for the digest itself (GitLab), an empty list is begun.
   * @throws RegistryError as {@link prune}.
   */
  async tidy(repository: string, digest: Digest): Promise<void> {
    const { client, writer } = this.#access;
    const reference = `${repository}:${referrersTag(digest)}`;
    const found = await client.manifest(reference);
    if (found?.digest === digest) {
      await writer.putManifest(reference, emptyList.mediaType, Buffer.from(JSON.stringify(emptyList)));
    } else if (found?.kind === "index") {
      await this.prune(repository, digest, [...new Set(found.manifests.map((entry) => entry.digest))]);
    }
  }

  #change(
    repository: string,
    digest: Digest,
    change: (list: TaggedList | undefined) => Promise<TaggedList | undefined>,
  ): Promise<void> {
    return changeList(this.#access, `${repository}:${referrersTag(digest)}`, change, digest);
  }

  async #withoutGone(
    repository: string,
    manifests: TaggedList["manifests"],
    suspects: readonly string[],
  ): Promise<TaggedList["manifests"]> {
    const gone = await goneFrom(this.#access.client, repository, suspects);
    return manifests.filter((entry) => !gone.has(entry.digest));
  }
}
