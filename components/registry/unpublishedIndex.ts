import type { Digest } from "../model/digest";
import { changeList, emptyList, goneFrom, type ListAccess, type TaggedList } from "./fallbackReferrers";
import { RegistryError } from "./registryError";
import { type Clock, systemClock } from "../system/clock";

/** The tag that keeps what is built and has no tag yet. No version and no floating tag begins with `_`. */
export const unpublishedTag = "_unpublished";

const keptMs = 7 * 24 * 3_600_000;
const settledMs = 1_000;
const mostTries = 5;
const created = "org.opencontainers.image.created";
/** Clients that pull by platform find nothing to take: what is listed has not passed all checks. */
const nobodys = { os: "unknown", architecture: "unknown" };

type Entry = TaggedList["manifests"][number];

/** What one run holds in one repository. */
interface Held {
  readonly entries: Map<Digest, Entry>;
  /** The write that will take in what is held by the time it begins, and what the list holds a while later. */
  next: Promise<ReadonlySet<Digest>> | undefined;
  last: Promise<void>;
}

/**
 * Keeps images from being collected between their push, by digest alone, and the index of their version: registries collect what no
 * tag leads to, zot and Quay within hours. One index per repository lists them under {@link unpublishedTag}; a week after an entry
 * was made the next write drops it.
 *
 * Runs at the same time may overwrite each other's list where a registry knows no entity tags; so each looks again after its write,
 * and puts in again all it holds with every further one.
 */
export class UnpublishedIndex {
  readonly #held = new Map<string, Held>();

  constructor(
    private readonly access: ListAccess,
    private readonly clock: Pick<Clock, "sleep"> = systemClock,
  ) {}

  /**
   * Holds a manifest. Resolves once the list has it, also after others had the time to overwrite it.
   * @param repository with its registry.
   * @throws RegistryError when the registry refuses or gives no usable answer; Error when the manifest is gone already.
   */
  async hold(repository: string, digest: Digest): Promise<void> {
    const manifest = await this.access.client.manifest(`${repository}@${digest}`);
    if (!manifest) throw new Error(`${repository}@${digest} is gone`);
    const { mediaType, bytes } = manifest;
    const annotations = { [created]: new Date().toISOString() };
    const held = this.#held.get(repository) ?? { entries: new Map(), next: undefined, last: Promise.resolve() };
    this.#held.set(repository, held);
    held.entries.set(digest, { mediaType, digest, size: bytes.length, platform: nobodys, annotations });
    for (let tries = 1; tries <= mostTries; tries++) {
      if ((await this.#writeSoon(repository, held)).has(digest)) return;
    }
    throw new Error(`${repository}:${unpublishedTag} is overwritten by others all the time`);
  }

  /** One write at a time; all that is asked for meanwhile is in the next, and looked for together. */
  #writeSoon(repository: string, held: Held): Promise<ReadonlySet<Digest>> {
    held.next ??= held.last
      .catch(() => undefined)
      .then(() => {
        held.next = undefined;
        held.last = this.#write(repository, [...held.entries.values()]);
        return held.last.then(() => this.#listedLater(repository));
      });
    return held.next;
  }

  async #write(repository: string, entries: readonly Entry[]): Promise<void> {
    const reference = `${repository}:${unpublishedTag}`;
    try {
      await changeList(this.access, reference, async (list) => merged(list, entries));
    } catch (error) {
      if (!(error instanceof RegistryError) || (error.status !== 400 && error.status !== 404)) throw error;
      // Registries that look at what an index lists refuse one that lists what is gone.
      await changeList(this.access, reference, async (list) => {
        const all = merged(list, entries);
        const gone = await goneFrom(this.access.client, repository, all?.manifests.map(({ digest }) => digest) ?? []);
        return all && { ...all, manifests: all.manifests.filter(({ digest }) => !gone.has(digest)) };
      });
    }
  }

  async #listedLater(repository: string): Promise<ReadonlySet<Digest>> {
    await this.clock.sleep(settledMs);
    const list = await this.access.client.manifest(`${repository}:${unpublishedTag}`);
    return new Set(list?.kind === "index" ? list.manifests.map(({ digest }) => digest) : []);
  }
}

/** Undefined when the list holds all of it. */
function merged(list: TaggedList | undefined, entries: readonly Entry[]): TaggedList | undefined {
  const known = list ?? emptyList;
  const listed = new Set(known.manifests.map(({ digest }) => digest));
  const fresh = entries.filter(({ digest }) => !listed.has(digest));
  if (fresh.length === 0) return undefined;
  return { ...known, manifests: [...known.manifests.filter(isYoung), ...fresh] };
}

function isYoung({ annotations }: Entry): boolean {
  const since = Date.parse(String((annotations as Record<string, unknown> | undefined)?.[created]));
  return !(Date.now() - since > keptMs);
}
