import type { Digest } from "../plan/digest";
import type { LayerListing } from "./layerListing";

/**
 * Keeps listings by digest up to a total number of entries, dropping the one used longest ago. A layer's content never changes under its digest,
 * so a listing is never stale. Readers of the same layer at the same time share one reading; a failed reading is not kept.
 */
export class ListingCache {
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
