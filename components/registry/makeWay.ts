import type { Digest } from "../model/digest";
import { referenceParts } from "../model/reference";
import { changeList, goneFrom, type ListAccess } from "./fallbackReferrers";
import { dockerListType, ociIndexType } from "./manifest";
import type { RegistryWriter } from "./registryWriter";

/**
 * Makes a tag one that a builder can write an index under: where a Docker manifest list stands in its way, as
 * {@link RegistryWriter.stopsBuilders} tells, the tag is written here. Every other tag is left alone.
 * @param reference `registry/repository:tag`.
 * @param next the index of the same repository that the tag is to name, where that is known before the builder writes. Else
 * what the list names is named again by an OCI index, save what is gone, which registries do not take a second time.
 * @throws RegistryError when the registry refuses or gives no usable answer.
 */
export async function makeWay(
  { client, writer }: ListAccess & { readonly writer: Pick<RegistryWriter, "stopsBuilders"> },
  reference: string,
  next?: Digest,
): Promise<void> {
  const named = await client.manifest(reference);
  if (named?.mediaType !== dockerListType || named.digest === next) return;
  if (!(await writer.stopsBuilders(reference))) return;
  const { name } = referenceParts(reference);
  if (next === undefined) {
    await changeList({ client, writer }, reference, async (list) => {
      if (list?.mediaType !== dockerListType) return undefined;
      const gone = await goneFrom(
        client,
        name,
        list.manifests.map(({ digest }) => digest),
      );
      const manifests = list.manifests.filter(({ digest }) => !gone.has(digest));
      return { ...list, mediaType: ociIndexType, manifests };
    });
    return;
  }
  const index = await client.manifest(`${name}@${next}`);
  if (index?.mediaType !== ociIndexType) return;
  await writer.putManifest(reference, index.mediaType, index.bytes, { replacing: named.entityTag });
}
