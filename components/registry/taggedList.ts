import { z } from "zod";
import type { Digest } from "../model/digest";
import type { RegistryClient } from "./registryClient";
import { RegistryError } from "./registryError";
import type { RegistryWriter } from "./registryWriter";

const indexType = "application/vnd.oci.image.index.v1+json";
const mostTries = 5;
const listSchema = z.looseObject({ manifests: z.array(z.looseObject({ digest: z.string() })) });

/** What changing a list reads and writes; `RegistryClient` and `RegistryWriter` have it. */
export interface ListAccess {
  readonly client: Pick<RegistryClient, "manifest">;
  readonly writer: Pick<RegistryWriter, "putManifest">;
}

/** An index that is kept under a tag as a list. Fields nobody here knows stay as they are. */
export type TaggedList = z.output<typeof listSchema> & { readonly mediaType: string };

/** A list without entries. */
export const emptyList: TaggedList = { schemaVersion: 2, mediaType: indexType, manifests: [] };

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

/** Of entries, those whose manifest is absent. */
export async function goneFrom(
  client: ListAccess["client"],
  repository: string,
  suspects: readonly string[],
): Promise<ReadonlySet<string>> {
  const present = await Promise.all(suspects.map((entry) => client.manifest(`${repository}@${entry}`)));
  return new Set(suspects.filter((_, position) => present[position] === undefined));
}
