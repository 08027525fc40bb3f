import type { Digest } from "../model/digest";
import { Limiter } from "../system/limiter";
import type { Descriptor, ImageManifest } from "../registry/manifest";
import { FileTree } from "./fileTree";
import { LayerError, readLayer } from "./readLayer";
import type { FileContent, LayerListing } from "./layerListing";
import { ImageBounds, type WantedChecksum } from "./listingBuilder";
import type { RegistryClient } from "../registry/registryClient";

const transferAttempts = 3;

/** Of one image, so that the memory its layers take stays bounded while the registry's round trips overlap. */
const layersAtOnce = 4;

/**
 * The layers of one image, read as late as possible: the image's own layers first, those of the base only when asked for, from the top.
 * Layers are told apart by digest. Rejections of {@link readLayer} and of the registry pass through.
 */
export class ImageReader {
  /** Bytes fetched from the registry so far, as stored. */
  bytesRead = 0;
  readonly #base: readonly Descriptor[];
  readonly #baseDigests: ReadonlySet<Digest>;
  readonly #listings = new Map<Digest, LayerListing>();
  readonly #bounds = new ImageBounds();

  constructor(
    private readonly registry: RegistryReader,
    private readonly repository: string,
    private readonly manifest: ImageManifest,
    baseLayers: readonly Digest[],
    private readonly wanted: WantedChecksum | undefined,
  ) {
    this.#baseDigests = new Set(baseLayers);
    this.#base = manifest.layers.filter(({ digest }) => this.#baseDigests.has(digest));
  }

  /** The file system the image's own layers make, without the base. */
  async ownTree(): Promise<FileTree> {
    const own = this.manifest.layers.filter(({ digest }) => !this.#baseDigests.has(digest));
    const distinct = new Map(own.map((layer) => [layer.digest, layer]));
    const limiter = new Limiter(layersAtOnce);
    await Promise.all([...distinct.values()].map((layer) => limiter.run(() => this.#load(layer))));
    return this.#tree();
  }

  /** The same with one base layer more each time, from the top, until there is none left. Call after {@link ownTree}. */
  async *treesWithBase(): AsyncGenerator<FileTree> {
    for (const layer of this.#base.toReversed()) {
      if (this.#listings.has(layer.digest)) continue;
      await this.#load(layer);
      yield this.#tree();
    }
  }

  /** Checksums of the wanted file in every layer that holds it, from the lowest. Reads all layers. */
  async wantedVersions(): Promise<readonly string[]> {
    for (const layer of this.manifest.layers) await this.#load(layer);
    return this.manifest.layers.flatMap(({ digest }) => {
      const entry = this.#listings.get(digest)?.entries.findLast(({ path }) => path === this.wanted?.path);
      return entry?.kind === "file" && entry.file.checksum !== undefined ? [entry.file.checksum] : [];
    });
  }

  /** Reads a layer again for the checksum of one file in it. */
  async rehash(digest: Digest, wanted: WantedChecksum): Promise<FileContent | undefined> {
    const layer = this.manifest.layers.find((candidate) => candidate.digest === digest);
    const listing = layer && (await this.#read(layer, wanted));
    const entry = listing?.entries.findLast(({ path }) => path === wanted.path);
    return entry?.kind === "file" ? entry.file : undefined;
  }

  async #load(layer: Descriptor): Promise<void> {
    if (this.#listings.has(layer.digest)) return;
    const read = (): Promise<LayerListing> => this.#read(layer, this.wanted);
    const shared = this.#baseDigests.has(layer.digest) && this.wanted === undefined;
    this.#listings.set(layer.digest, await (shared ? baseListings.get(layer.digest, read) : read()));
  }

  /** A transfer that broke off is begun anew; the client itself repeats only what fails before the first byte. */
  async #read(layer: Descriptor, wanted: WantedChecksum | undefined): Promise<LayerListing> {
    for (let attempt = 1; ; attempt++) {
      const blob = await this.registry.blob(this.repository, layer.digest);
      try {
        const listing = await readLayer(
          { blob, mediaType: layer.mediaType, digest: layer.digest },
          wanted,
          this.#bounds,
        );
        this.bytesRead += listing.size;
        return listing;
      } catch (error) {
        blob.destroy();
        if (attempt === transferAttempts || !(error instanceof LayerError) || error.kind !== "transfer") throw error;
      }
    }
  }

  #tree(): FileTree {
    const tree = new FileTree();
    for (const { digest } of this.manifest.layers) {
      const listing = this.#listings.get(digest);
      if (listing) tree.apply(listing);
    }
    return tree;
  }
}

/** What the checks need of a registry client: manifests and configurations, and blobs whose digest is verified as they pass. */
export type RegistryReader = Pick<RegistryClient, "manifest" | "imageConfig" | "blob">;

/**
 * Keeps listings by digest up to a total number of entries, dropping the one used longest ago. A layer's content never changes under its digest,
 * so a listing is never stale. Readers of the same layer at the same time share one reading; a failed reading is not kept.
 */
class ListingCache {
  readonly #listings = new Map<Digest, Promise<LayerListing>>();
  readonly #sizes = new Map<Digest, number>();

  constructor(private readonly entryLimit: number) {}

  async get(digest: Digest, read: () => Promise<LayerListing>): Promise<LayerListing> {
    const pending = this.#listings.get(digest) ?? read();
    this.#listings.delete(digest);
    this.#listings.set(digest, pending);
    try {
      const listing = await pending;
      this.#sizes.set(digest, listing.entries.length + listing.whiteouts.length);
      this.#trim();
      return listing;
    } catch (error) {
      this.#drop(digest, pending);
      throw error;
    }
  }

  #trim(): void {
    let total = 0;
    for (const size of this.#sizes.values()) total += size;
    for (const [digest, pending] of this.#listings) {
      if (total <= this.entryLimit) return;
      total -= this.#sizes.get(digest) ?? 0;
      if (this.#sizes.has(digest)) this.#drop(digest, pending);
    }
  }

  #drop(digest: Digest, pending: Promise<LayerListing>): void {
    if (this.#listings.get(digest) !== pending) return;
    this.#listings.delete(digest);
    this.#sizes.delete(digest);
  }
}

/** Base layers are shared by versions: each is read once per run, as far as the memory set aside for them goes. */
const baseListings = new ListingCache(400_000);
