import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../system/lock";
import { z } from "zod";
import { type Digest, isDigest, referrersTag } from "../model/digest";
import { type Manifest, ociIndexType } from "./manifest";
import type { RegistryClient } from "./registryClient";
import { RegistryError, unlessUnreadable } from "./registryError";
import type { RegistryWriter } from "./registryWriter";

/**
 * What is attached to digests, and the list of it that clients keep under the tag `sha256-<hex>` where a registry has no referrers API.
 * Deleting a referrer leaves its entry there, and a registry that checks what an index lists (distribution does) then
 * refuses every further one. Everything here is to be called under the digest's lock.
 */
export class FallbackList {
  readonly #access: ListAccess & { readonly client: Pick<RegistryClient, "listsReferrers"> };

  constructor(client: Pick<RegistryClient, "manifest" | "listsReferrers">, writer: ListAccess["writer"]) {
    this.#access = { client, writer };
  }

  /**
   * Writes manifests that refer to a digest; what they name is in the registry already. One after the other, as there are registries that
   * lose one of two at once. Where there is no referrers API the list under the tag names them: it is begun where there is none, what
   * leads nowhere is taken out of it, and all else stays. What was written before one was refused is listed.
   * @returns whether the registry lists them by itself, which it may do late.
   * @throws RegistryError when the registry refuses or gives no usable answer.
   */
  async attach(repository: string, digest: Digest, manifests: readonly Manifest[]): Promise<boolean> {
    const { client, writer } = this.#access;
    const written: Manifest[] = [];
    let byItself = false;
    try {
      for (const manifest of manifests) {
        await writer.putManifest(`${repository}@${manifest.digest}`, manifest.mediaType, manifest.bytes);
        written.push(manifest);
      }
    } finally {
      // That is where clients look. What the header OCI-Subject says is not so everywhere.
      byItself = written.length > 0 && (await client.listsReferrers(repository, digest));
      if (written.length > 0 && !byItself) await this.#add(repository, digest, written.map(entryOf));
    }
    return byItself;
  }

  /**
   * Makes a digest's list fit to be read and added to by tools that know less: entries that lead nowhere, over which a builder
   * that copies an image fails, are taken out, and where the registry takes the tag for the digest itself (GitLab), an empty list is begun.
   * @throws RegistryError as {@link attach}.
   */
  async tidy(repository: string, digest: Digest): Promise<void> {
    const { client, writer } = this.#access;
    const reference = `${repository}:${referrersTag(digest)}`;
    const found = await client.manifest(reference);
    if (found?.digest === digest) {
      await writer.putManifest(reference, emptyList.mediaType, Buffer.from(JSON.stringify(emptyList)));
    } else if (found?.kind === "index") {
      await this.#change(repository, digest, async (list) => {
        if (!list) return undefined;
        const manifests = await this.#withoutGone(repository, list);
        return manifests.length === list.manifests.length ? undefined : { ...list, manifests };
      });
    }
  }

  async #add(repository: string, digest: Digest, entries: readonly ReferrerEntry[]): Promise<void> {
    await this.#change(repository, digest, async (found) => {
      const list = found ?? emptyList;
      const added = entries.filter((entry) => !list.manifests.some((known) => known.digest === entry.digest));
      if (added.length === 0) return undefined;
      return { ...list, manifests: [...(await this.#withoutGone(repository, list)), ...added] };
    });
  }

  #change(
    repository: string,
    digest: Digest,
    change: (list: TaggedList | undefined) => Promise<TaggedList | undefined>,
  ): Promise<void> {
    return changeList(this.#access, `${repository}:${referrersTag(digest)}`, change, digest);
  }

  async #withoutGone(repository: string, { manifests }: TaggedList): Promise<TaggedList["manifests"]> {
    const listed = [...new Set(manifests.map((entry) => entry.digest))].filter(isDigest);
    const gone = await goneFrom(this.#access.client, repository, listed);
    return manifests.filter((entry) => !gone.has(entry.digest));
  }
}

/** An entry of a list of referrers. Source: OCI distribution specification 1.1, "Pushing Manifests with Subject". */
type ReferrerEntry = Pick<Manifest, "mediaType" | "digest" | "artifactType"> & {
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
};

function entryOf(manifest: Manifest): ReferrerEntry {
  const { mediaType, digest, bytes, annotations } = manifest;
  const artifactType = manifest.artifactType ?? (manifest.kind === "image" ? manifest.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

const mostTries = 5;
// Go writes an empty list as null.
const entriesSchema = z.array(z.looseObject({ digest: z.string() })).nullable();
const listSchema = z.looseObject({ manifests: entriesSchema.transform((entries) => entries ?? []) });

/** What changing a list reads and writes; `RegistryClient` and `RegistryWriter` have it. */
export interface ListAccess {
  readonly client: Pick<RegistryClient, "manifest">;
  readonly writer: Pick<RegistryWriter, "putManifest">;
}

/** An index that is kept under a tag as a list. Fields nobody here knows stay as they are. */
export type TaggedList = z.output<typeof listSchema> & { readonly mediaType: string };

/** A list without entries. */
export const emptyList: TaggedList = { schemaVersion: 2, mediaType: ociIndexType, manifests: [] };

/**
 * Reads the list under a tag, changes it and writes it back; again when somebody else wrote in between, where the registry notices.
 * @param change the list as it is to be, or undefined to leave it; asked with undefined where there is none.
 * @param notList a manifest that is not meant although the tag may name it.
 * @throws RegistryError when the registry refuses or gives no usable answer; Error when the tag names an image.
 */
export async function changeList(
  { client, writer }: ListAccess,
  reference: string,
  change: (list: TaggedList | undefined) => Promise<TaggedList | undefined>,
  notList?: Digest,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const found = await readList(client, reference, notList);
    const list = await change(found?.list);
    if (!list) return;
    const bytes = Buffer.from(JSON.stringify(list));
    try {
      await writer.putManifest(reference, list.mediaType, bytes, { replacing: found?.entityTag });
      return;
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status !== 412 || tries === mostTries) throw error;
    }
  }
}

async function readList(
  client: ListAccess["client"],
  reference: string,
  notList: Digest | undefined,
): Promise<{ readonly list: TaggedList; readonly entityTag: string | undefined } | undefined> {
  const found = await client.manifest(reference);
  if (found === undefined || found.digest === notList) return undefined;
  if (found.kind !== "index") throw new Error(`${reference} names an image; accepted is a list`);
  const { mediaType, entityTag } = found;
  return { list: { mediaType, ...listSchema.parse(JSON.parse(found.bytes.toString("utf8"))) }, entityTag };
}

/** Of entries, those whose manifest is absent: one that others wrote and that cannot be read here is there. */
export async function goneFrom(
  client: ListAccess["client"],
  repository: string,
  suspects: readonly string[],
): Promise<ReadonlySet<string>> {
  const gone = suspects.map(
    async (entry) => (await unlessUnreadable(client.manifest(`${repository}@${entry}`), "unreadable")) === undefined,
  );
  const isGone = await Promise.all(gone);
  return new Set(suspects.filter((_, position) => isGone[position]));
}

/**
 * Writes to a digest while no other process of this machine and user does. Registries without the referrers API keep one
 * list per digest that every writer reads, changes and puts back, so that of two at once one loses its entry.
 * Writers on other machines are not excluded: look again after writing.
 * @throws Error when the digest is not free before the deadline.
 */
export function withDigest<T>(reference: string, deadline: AbortSignal, write: () => Promise<T>): Promise<T> {
  const name = createHash("sha256").update(reference).digest("hex");
  const path = join(tmpdir(), `multiarch-mirror-${process.getuid?.() ?? "user"}`, "digests", name);
  return withLock(path, { what: reference, deadline }, write);
}
