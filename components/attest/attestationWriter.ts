import type { Digest } from "../model/digest";
import type { Platform, PerPlatform } from "../model/platform";
import type { AttestationState, Requirement } from "./attestationState";
import type { Cosign } from "./cosign";
import { DigestLedger } from "./digestLedger";
import type { SbomSubject } from "./sbom";
import type { AttestationReader } from "../probe/attestations";
import type { ExpectedSigner } from "../model/signer";

type Platforms = PerPlatform<Digest>;
type Queue = (work: () => Promise<void>) => Promise<void>;

/** What writing attestations rests on. */
export interface WriterEdges {
  readonly reader: AttestationReader;
  readonly signer: ExpectedSigner;
  readonly cosign: Pick<Cosign, "sign" | "attest">;
  /** Writes to a digest while nobody else does. */
  readonly locked: (reference: string, write: () => Promise<void>) => Promise<void>;
  /** Makes the SBOM of one platform and gives the path of its file. */
  readonly sbom: (subject: SbomSubject) => Promise<string>;
  /** The file of a predicate that describes the version as a whole. */
  readonly predicate: (kind: "provenance" | "mirror", platforms: Platforms) => Promise<string>;
  /** Takes entries that lead nowhere out of a digest's fallback list. */
  readonly prune: (digest: Digest, dangling: readonly Digest[]) => Promise<void>;
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
  /** SBOMs made so far: a second try does not scan again. */
  readonly #sboms = new Map<Platform, Promise<string>>();

  constructor(repository: string, edges: WriterEdges) {
    this.#repository = repository;
    this.#edges = edges;
  }

  /** Makes what is absent. After the first failure nothing new is begun. Never rejects for a failed tool. */
  async write(state: AttestationState, platforms: Platforms): Promise<WriteResult> {
    const failures: Error[] = [];
    const overtaken = { value: false };
    const attempt: Queue = async (work) => {
      if (failures.length > 0) return;
      try {
        if (this.#edges.deadline.aborted) throw new Error("time is up");
        await work();
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    };
    await this.#checkPredicates(state, platforms, attempt);
    const digests = [...new Set(state.absent.map(({ digest }) => digest))];
    await Promise.all(digests.map((digest) => this.#writeDigest(digest, state, platforms, attempt, overtaken)));
    return { failures, overtaken: overtaken.value };
  }

  /** Before anything is signed: a predicate that is not valid must leave the registry as it was. */
  async #checkPredicates(state: AttestationState, platforms: Platforms, attempt: Queue): Promise<void> {
    for (const { kind } of state.absent) {
      if (kind === "provenance" || kind === "mirror")
        await attempt(async () => {
          await this.#edges.predicate(kind, platforms);
        });
    }
  }

  async #writeDigest(
    digest: Digest,
    state: AttestationState,
    platforms: Platforms,
    attempt: Queue,
    overtaken: { value: boolean },
  ): Promise<void> {
    const list = state.lists.get(digest);
    if (list === undefined) throw new Error(`${digest} was not inspected`);
    const ledger = new DigestLedger(this.#edges, this.#repository, digest, list);
    const reference = `${this.#repository}@${digest}`;
    let queue = Promise.resolve();
    const inTurn: Queue = (work) => (queue = queue.then(() => attempt(() => this.#edges.locked(reference, work))));
    if (list.dangling.length > 0) {
      void inTurn(async () => {
        await this.#edges.prune(digest, list.dangling);
        ledger.pruned(list.dangling.length);
      });
    }
    const mine = state.absent.filter((requirement) => requirement.digest === digest);
    await Promise.all(
      mine.map((requirement) =>
        this.#prepared(requirement, platforms, attempt, (put) =>
          inTurn(async () => {
            if (await ledger.othersAdded(requirement.kind)) overtaken.value = true;
            else await put(reference).then(() => ledger.added(requirement.kind));
          }),
        ),
      ),
    );
  }

  /** Makes the predicate, outside the digest's turn, and hands over what puts it there. */
  async #prepared(
    { kind, platform }: Requirement,
    platforms: Platforms,
    attempt: Queue,
    enqueue: (put: (reference: string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    if (kind === "signature") return enqueue((reference) => this.#edges.cosign.sign(reference));
    let file: string | undefined;
    await attempt(async () => {
      file = kind === "sbom" ? await this.#sbom(platform, platforms) : await this.#edges.predicate(kind, platforms);
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
