import type { Digest } from "../model/digest";
import type { AttestationKind } from "../model/attestationKind";
import { type AttestationList, listAttestations } from "../probe/attestations";
import type { AttestationReader } from "../probe/attestations";
import type { ExpectedSigner } from "../model/signer";

/**
 * Keeps count of what is attached to one digest while this process adds to it, so that what another process has added
 * since the digest was inspected is not made twice. To be asked and told under the digest's lock.
 */
export class DigestLedger {
  readonly #reader: AttestationReader;
  readonly #repository: string;
  readonly #digest: Digest;
  readonly #signer: ExpectedSigner;
  /** What was there when the digest was inspected, and what was added by this process. */
  readonly #accounted: Record<AttestationKind, number>;
  /** What is there, as last seen. */
  #present: Record<AttestationKind, number>;
  #entries: number;

  /** @param seen what was there when the digest was inspected. */
  constructor(
    { reader, signer }: { readonly reader: AttestationReader; readonly signer: ExpectedSigner },
    repository: string,
    digest: Digest,
    seen: AttestationList,
  ) {
    this.#reader = reader;
    this.#signer = signer;
    this.#repository = repository;
    this.#digest = digest;
    this.#accounted = { ...seen.counts };
    this.#present = { ...seen.counts };
    this.#entries = seen.entries;
  }

  /** Whether somebody else has added one of this kind. Costs one request, and more only when the list has changed. */
  async othersAdded(kind: AttestationKind): Promise<boolean> {
    const entries = await this.#reader.referrers(this.#repository, this.#digest);
    if (entries.length !== this.#entries) {
      const now = await listAttestations(this.#reader, this.#repository, this.#digest, this.#signer);
      this.#entries = now.entries;
      this.#present = { ...now.counts };
    }
    return this.#present[kind] > this.#accounted[kind];
  }

  added(kind: AttestationKind): void {
    this.#accounted[kind]++;
    this.#present[kind]++;
    this.#entries++;
  }

  pruned(entries: number): void {
    this.#entries -= entries;
  }
}
