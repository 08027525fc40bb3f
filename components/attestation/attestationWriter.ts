import type { Digest } from "../plan/digest";
import type { Platform } from "../plan/platform";
import type { AttestationList } from "./attestationList";
import type { AttestationReader } from "./attestationReader";
import type { AttestationState, Requirement } from "./attestationState";
import type { Cosign } from "./cosign";
import { DigestLedger } from "./digestLedger";
import type { DigestLock } from "./digestLock";
import type { SbomSubject } from "./sbom";

type Platforms = Readonly<Record<Platform, Digest>>;
type Queue = (work: () => Promise<void>) => Promise<void>;

/** What writing attestations rests on. */
export interface WriterEdges {
  readonly reader: AttestationReader;
  readonly cosign: Pick<Cosign, "sign" | "attest">;
  readonly lock: Pick<DigestLock, "run">;
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

/** A digest that lacks something. */
interface Place {
  readonly digest: Digest;
  readonly reference: string;
  readonly list: AttestationList;
  readonly ledger: DigestLedger;
  /** Ends when the last of those that wait for their turn has had it. */
  queue: Promise<void>;
}

/** One thing that several digests lack: one cosign puts it there, which takes as long to start as to sign. */
interface Group {
  readonly kind: Requirement["kind"];
  /** Of an SBOM. */
  readonly platform?: Platform;
  readonly digests: readonly Digest[];
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
    const places = this.#placesOf(state);
    for (const place of places.values()) void this.#prune(place, attempt);
    await Promise.all(
      groupsOf(state.absent).map((group) => this.#writeGroup(group, places, platforms, attempt, overtaken)),
    );
    await Promise.all([...places.values()].map(({ queue }) => queue));
    return { failures, overtaken: overtaken.value };
  }

  #placesOf(state: AttestationState): ReadonlyMap<Digest, Place> {
    const digests = [...new Set(state.absent.map(({ digest }) => digest))];
    const places = digests.map((digest): Place => {
      const list = state.lists.get(digest);
      if (list === undefined) throw new Error(`${digest} was not inspected`);
      const ledger = new DigestLedger(this.#edges.reader, this.#repository, digest, list);
      return { digest, list, ledger, reference: `${this.#repository}@${digest}`, queue: Promise.resolve() };
    });
    return new Map(places.map((place) => [place.digest, place]));
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

  async #prune(place: Place, attempt: Queue): Promise<void> {
    const { digest, ledger, list } = place;
    if (list.dangling.length === 0) return;
    await this.#inTurn([place], attempt, async () => {
      await this.#edges.prune(digest, list.dangling);
      ledger.pruned(list.dangling.length);
    });
  }

  /** Makes the predicate, outside the digests' turn, and puts it there. */
  async #writeGroup(
    { kind, platform, digests }: Group,
    places: ReadonlyMap<Digest, Place>,
    platforms: Platforms,
    attempt: Queue,
    overtaken: { value: boolean },
  ): Promise<void> {
    let put: ((references: readonly string[]) => Promise<void>) | undefined;
    await attempt(async () => {
      put = await this.#prepared(kind, platform, platforms);
    });
    const write = put;
    if (!write) return;
    const wanting = [...places.values()].filter(({ digest }) => digests.includes(digest));
    await this.#inTurn(wanting, attempt, async () => {
      const mine: Place[] = [];
      for (const place of wanting) {
        if (await place.ledger.othersAdded(kind)) overtaken.value = true;
        else mine.push(place);
      }
      if (mine.length === 0) return;
      await write(mine.map(({ reference }) => reference));
      for (const { ledger } of mine) ledger.added(kind);
    });
  }

  async #prepared(
    kind: Requirement["kind"],
    platform: Platform | undefined,
    platforms: Platforms,
  ): Promise<(references: readonly string[]) => Promise<void>> {
    const { cosign, predicate } = this.#edges;
    if (kind === "signature") return (references) => cosign.sign(references);
    const file = kind === "sbom" ? await this.#sbom(platform, platforms) : await predicate(kind, platforms);
    return (references) => cosign.attest(references, kind, file);
  }

  /** Does something when its turn has come at each of the digests, and no other process writes to one of them. */
  #inTurn(places: readonly Place[], attempt: Queue, work: () => Promise<void>): Promise<void> {
    // Every process takes locks in the same order, so that no two wait for each other.
    const references = places.map(({ reference }) => reference).toSorted();
    const locked = references.reduceRight<() => Promise<void>>(
      (inner, reference) => () => this.#edges.lock.run(reference, this.#edges.deadline, inner),
      work,
    );
    const turn = Promise.all(places.map(({ queue }) => queue)).then(() => attempt(locked));
    for (const place of places) place.queue = turn;
    return turn;
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

function groupsOf(absent: readonly Requirement[]): readonly Group[] {
  const signatures = absent.filter(({ kind }) => kind === "signature");
  const scanned = new Set(absent.flatMap(({ kind, platform }) => (kind === "sbom" && platform ? [platform] : [])));
  const groups: readonly Group[] = [
    { kind: "signature", digests: signatures.map(({ digest }) => digest) },
    ...absent.flatMap(({ kind, digest }) =>
      kind === "provenance" || kind === "mirror" ? [{ kind, digests: [digest] }] : [],
    ),
    ...[...scanned].map((platform): Group => {
      const mine = absent.filter((requirement) => requirement.kind === "sbom" && requirement.platform === platform);
      return { kind: "sbom", platform, digests: mine.map(({ digest }) => digest) };
    }),
  ];
  return groups.filter(({ digests }) => digests.length > 0);
}
