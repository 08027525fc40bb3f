import type { AttestationKind } from "../model/attestationKind";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import type { SbomSubject } from "../model/sbom";
import type { ExpectedSigner } from "../model/signer";
import { type AttestationList, type AttestationReader, listAttestations } from "../probe/attachedAttestations";
import type { AttestationState, Requirement } from "./inspectAttestations";
import type { Cosign } from "./cosign";

type Platforms = PerPlatform<Digest>;
/** Does a piece of work that is about one kind, and keeps its failure. */
type Attempt = (kind: AttestationKind | undefined, work: () => Promise<void>) => Promise<void>;

/** What writing attestations rests on. */
export interface WriterEdges {
  readonly reader: AttestationReader;
  readonly signer: ExpectedSigner;
  readonly cosign: Pick<Cosign, "sign" | "attest">;
  /** Writes to a digest while nobody else does. */
  readonly locked: (reference: string, write: () => Promise<void>) => Promise<void>;
  /** The path of one platform's SBOM, which was made where its image was. */
  readonly sbom: (subject: SbomSubject) => Promise<string>;
  /** The file of a provenance or mirror record: about the digest of one platform, or about the version as a whole. */
  readonly predicate: (requirement: Requirement, platforms: Platforms) => Promise<string>;
  /** Takes entries that lead nowhere out of a digest's fallback list. */
  readonly prune: (digest: Digest, dangling: readonly Digest[]) => Promise<void>;
  /** Makes a list without entries fit to be begun. */
  readonly tidy: (digest: Digest) => Promise<void>;
  /** Aborted when time is up. */
  readonly deadline: AbortSignal;
}

/** How writing went. */
export interface WriteResult {
  /** What failed, the first first. */
  readonly failures: readonly Error[];
  /** Something was left alone because another process had just made it. */
  readonly overtaken: boolean;
}

/** Makes attestations: one writer per digest at a time, different digests side by side. */
export class AttestationWriter {
  readonly #repository: string;
  readonly #edges: WriterEdges;
  /** SBOMs found so far: a second try does not fetch them again. */
  readonly #sboms = new Map<Platform, Promise<string>>();

  constructor(repository: string, edges: WriterEdges) {
    this.#repository = repository;
    this.#edges = edges;
  }

  /**
   * Makes what is absent. After the first failure nothing new is begun, unless only an SBOM failed: nothing waits for those.
   * Never rejects for a failed tool.
   */
  async write(state: AttestationState, platforms: Platforms): Promise<WriteResult> {
    const failures: Error[] = [];
    const overtaken = { value: false };
    let stopped = false;
    const attempt: Attempt = async (kind, work) => {
      if (stopped) return;
      try {
        if (this.#edges.deadline.aborted) throw new Error("time is up");
        await work();
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        stopped ||= kind !== "sbom";
      }
    };
    await this.#checkPredicates(state, platforms, attempt);
    const digests = [...new Set(state.absent.map(({ digest }) => digest))];
    await Promise.all(digests.map((digest) => this.#writeDigest(digest, state, platforms, attempt, overtaken)));
    return { failures, overtaken: overtaken.value };
  }

  /** Before anything is signed: a predicate that is not valid must leave the registry as it was. */
  async #checkPredicates(state: AttestationState, platforms: Platforms, attempt: Attempt): Promise<void> {
    for (const requirement of state.absent) {
      if (requirement.kind === "provenance" || requirement.kind === "mirror")
        await attempt(requirement.kind, async () => {
          await this.#edges.predicate(requirement, platforms);
        });
    }
  }

  async #writeDigest(
    digest: Digest,
    state: AttestationState,
    platforms: Platforms,
    attempt: Attempt,
    overtaken: { value: boolean },
  ): Promise<void> {
    const list = state.lists.get(digest);
    if (list === undefined) throw new Error(`${digest} was not inspected`);
    const ledger = new DigestLedger(this.#edges, this.#repository, digest, list);
    const reference = `${this.#repository}@${digest}`;
    let queue = Promise.resolve();
    const inTurn: Attempt = (kind, work) =>
      (queue = queue.then(() => attempt(kind, () => this.#edges.locked(reference, work))));
    if (list.dangling.length > 0) {
      void inTurn(undefined, async () => {
        await this.#edges.prune(digest, list.dangling);
        ledger.pruned(list.dangling.length);
      });
    }
    if (list.entries === 0) void inTurn(undefined, () => this.#edges.tidy(digest));
    const mine = state.absent.filter((requirement) => requirement.digest === digest);
    await Promise.all(
      mine.map((requirement) =>
        this.#prepared(requirement, platforms, attempt, (put) =>
          inTurn(requirement.kind, async () => {
            if (await ledger.othersAdded(requirement.kind)) overtaken.value = true;
            else await put(reference).then(() => ledger.added(requirement.kind));
          }),
        ),
      ),
    );
  }

  /** Makes the predicate, outside the digest's turn, and hands over what puts it there. */
  async #prepared(
    requirement: Requirement,
    platforms: Platforms,
    attempt: Attempt,
    enqueue: (put: (reference: string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { kind, platform } = requirement;
    if (kind === "signature") return enqueue((reference) => this.#edges.cosign.sign(reference));
    let file: string | undefined;
    await attempt(kind, async () => {
      file =
        kind === "sbom" ? await this.#sbom(platform, platforms) : await this.#edges.predicate(requirement, platforms);
    });
    const path = file;
    if (path !== undefined) await enqueue((reference) => this.#edges.cosign.attest(reference, kind, path));
  }

  #sbom(platform: Platform | undefined, platforms: Platforms): Promise<string> {
    const digest = platform && platforms[platform];
    if (platform === undefined || digest === undefined) throw new Error("an SBOM describes a platform of the index");
    const made = this.#sboms.get(platform) ?? this.#edges.sbom({ repository: this.#repository, digest, platform });
    this.#sboms.set(platform, made);
    made.catch(() => this.#sboms.delete(platform));
    return made;
  }
}

/**
 * Keeps count of what is attached to one digest while this process adds to it, so that what another process has added
 * since the digest was inspected is not made twice. To be asked and told under the digest's lock.
 */
class DigestLedger {
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
