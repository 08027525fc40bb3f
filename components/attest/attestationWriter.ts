import { availableParallelism } from "node:os";
import type { AttestationKind } from "../model/attestationKind";
import type { Digest } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import type { SbomSubject } from "../model/sbom";
import type { ExpectedSigner } from "../model/signer";
import { type AttestationList, type AttestationReader, listAttestations } from "../probe/attachedAttestations";
import type { FallbackList } from "../registry/fallbackReferrers";
import type { Manifest } from "../registry/manifest";
import type { RegistryWriter } from "../registry/registryWriter";
import { Limiter } from "../system/limiter";
import { once } from "../system/once";
import { bundleManifest, emptyConfiguration } from "./bundleManifest";
import type { Cosign } from "./cosign";
import type { AttestationState, Requirement } from "./inspectAttestations";

type Platforms = PerPlatform<Digest>;

/** What writing attestations rests on. */
export interface WriterEdges {
  readonly reader: AttestationReader;
  readonly signer: ExpectedSigner;
  readonly cosign: Pick<Cosign, "sign" | "attest">;
  readonly writer: Pick<RegistryWriter, "putBlob" | "putNewBlob">;
  readonly lists: Pick<FallbackList, "attach">;
  /** Writes to a digest while nobody else does. */
  readonly locked: <T>(reference: string, write: () => Promise<T>) => Promise<T>;
  /** The path of one platform's SBOM, which was made where its image was. */
  readonly sbom: (subject: SbomSubject) => Promise<string>;
  /** The file of a provenance or mirror record: about the digest of one platform, or about the version as a whole. */
  readonly predicate: (requirement: Requirement, platforms: Platforms) => Promise<string>;
  /** Aborted when time is up. */
  readonly deadline: AbortSignal;
}

/** How writing went. */
export interface WriteResult {
  /** What failed, the first first. */
  readonly failures: readonly Error[];
  /** Something was left alone because another process had just made it. */
  readonly overtaken: boolean;
  /** What was written and the registry lists by itself, which it may do late. */
  readonly pending: readonly Attached[];
}

/** What was attached, and to what. */
export interface Attached {
  readonly subject: Digest;
  readonly digest: Digest;
}

/** A statement that was signed and uploaded, and is attached to nothing yet. */
interface Made {
  readonly kind: AttestationKind;
  readonly manifest: Manifest;
}

/** How attaching to one digest went. */
type Outcome = Omit<WriteResult, "failures">;

/** What all parts of one writing know. */
interface Round {
  readonly state: AttestationState;
  readonly platforms: Platforms;
  /** The files of provenance and mirror records. */
  readonly predicates: ReadonlyMap<Requirement, string>;
  readonly attempts: Attempts;
}

/**
 * Makes attestations: all side by side, as many at once as keep the processors busy while some wait for a service. What is made about a
 * digest is attached to it in one go, while nobody else attaches anything to it: lists under tags are read, changed and put back.
 */
export class AttestationWriter {
  readonly #repository: string;
  readonly #edges: WriterEdges;
  readonly #limiter = new Limiter(2 * availableParallelism());
  /** Writes what the manifests of all bundles name. */
  #configured: Promise<void> | undefined;
  /** SBOMs found so far: a second try does not fetch them again. */
  readonly #sboms = new Map<Platform, Promise<string>>();

  constructor(repository: string, edges: WriterEdges) {
    this.#repository = repository;
    this.#edges = edges;
  }

  /**
   * Makes what is absent. After the first failure nothing new is begun, unless only an SBOM failed: nothing waits for those. What had been
   * made by then is attached. Never rejects for a failed tool or registry.
   */
  async write(state: AttestationState, platforms: Platforms): Promise<WriteResult> {
    const attempts = new Attempts(this.#edges.deadline);
    const predicates = await this.#predicates(state, platforms, attempts);
    const digests = [...new Set(state.absent.map(({ digest }) => digest))];
    const round = { state, platforms, predicates, attempts };
    const written = await Promise.all(digests.map((digest) => this.#writeDigest(digest, round)));
    return {
      failures: attempts.failures,
      overtaken: written.some(({ overtaken }) => overtaken),
      pending: written.flatMap(({ pending }) => pending),
    };
  }

  /** Before anything is signed: a predicate that is not valid must leave the registry as it was. */
  async #predicates(
    { absent }: AttestationState,
    platforms: Platforms,
    attempts: Attempts,
  ): Promise<ReadonlyMap<Requirement, string>> {
    const files = new Map<Requirement, string>();
    for (const requirement of absent) {
      const { kind } = requirement;
      if (kind !== "provenance" && kind !== "mirror") continue;
      const file = await attempts.begin(kind, () => this.#edges.predicate(requirement, platforms));
      if (file !== undefined) files.set(requirement, file);
    }
    return files;
  }

  async #writeDigest(digest: Digest, round: Round): Promise<Outcome> {
    const { state, attempts } = round;
    const { writer } = this.#edges;
    const list = state.lists.get(digest);
    if (list === undefined) throw new Error(`${digest} was not inspected`);
    const subject = once(() => this.#subject(digest));
    const make = (requirement: Requirement): Promise<Made | undefined> =>
      this.#limiter.run(() =>
        attempts.begin(requirement.kind, async () => {
          const about = await subject();
          const bundle = await this.#sign(requirement, round);
          const { manifest, blob } = bundleManifest(about, requirement.kind, bundle, new Date());
          await Promise.all([this.#configuration(), writer.putNewBlob(this.#repository, blob.digest, blob.content)]);
          return { kind: requirement.kind, manifest };
        }),
      );
    // The first goes alone: a service that is dead is asked once for each digest.
    const [first, ...others] = state.absent.filter((requirement) => requirement.digest === digest);
    const tried = [first && (await make(first)), ...(await Promise.all(others.map(make)))];
    const made = tried.filter((one) => one !== undefined);
    const attached = made.length > 0 ? await attempts.end(() => this.#attach(digest, list, made)) : undefined;
    return attached ?? { overtaken: false, pending: [] };
  }

  async #subject(digest: Digest): Promise<Manifest> {
    const reference = `${this.#repository}@${digest}`;
    const subject = await this.#edges.reader.manifest(reference);
    if (subject === undefined) throw new Error(`${reference} is not in the registry, so nothing can be attached to it`);
    return subject;
  }

  #configuration(): Promise<void> {
    const { digest, content } = emptyConfiguration;
    this.#configured ??= this.#edges.writer.putBlob(this.#repository, digest, content);
    this.#configured.catch(() => (this.#configured = undefined));
    return this.#configured;
  }

  async #sign(requirement: Requirement, { platforms, predicates }: Round): Promise<Buffer> {
    const { digest, kind, platform } = requirement;
    const { cosign } = this.#edges;
    const reference = `${this.#repository}@${digest}`;
    if (kind === "signature") return cosign.sign(reference);
    const file = kind === "sbom" ? await this.#sbom(platform, platforms) : predicates.get(requirement);
    if (file === undefined) throw new Error(`the ${kind} was not written`);
    return cosign.attest(reference, kind, file);
  }

  #sbom(platform: Platform | undefined, platforms: Platforms): Promise<string> {
    const digest = platform && platforms[platform];
    if (platform === undefined || digest === undefined) throw new Error("an SBOM describes a platform of the index");
    const made = this.#sboms.get(platform) ?? this.#edges.sbom({ repository: this.#repository, digest, platform });
    this.#sboms.set(platform, made);
    made.catch(() => this.#sboms.delete(platform));
    return made;
  }

  /** Leaves alone what another process has attached one of its kind of since the digest was inspected. */
  async #attach(subject: Digest, seen: AttestationList, made: readonly Made[]): Promise<Outcome> {
    const { reader, signer, lists, locked } = this.#edges;
    return locked(`${this.#repository}@${subject}`, async () => {
      const listed = await reader.referrers(this.#repository, subject);
      const isNews = listed.some((entry) => !seen.entries.includes(entry.digest));
      const { counts } = isNews ? await listAttestations(reader, this.#repository, subject, signer) : seen;
      const own = made.filter(({ kind }) => counts[kind] <= seen.counts[kind]).map(({ manifest }) => manifest);
      const byItself = await lists.attach(this.#repository, subject, own);
      const pending = byItself ? own.map(({ digest }) => ({ subject, digest })) : [];
      return { overtaken: own.length < made.length, pending };
    });
  }
}

/** Pieces of work, and how they failed. */
class Attempts {
  readonly failures: Error[] = [];
  readonly #deadline: AbortSignal;
  #stopped = false;

  constructor(deadline: AbortSignal) {
    this.#deadline = deadline;
  }

  /** Does work about one kind, unless something failed before. Undefined when it is not done. */
  async begin<T>(kind: AttestationKind, work: () => Promise<T>): Promise<T | undefined> {
    return this.#stopped ? undefined : this.#attempt(kind, work);
  }

  /** Does work that ends what was begun. Undefined when it failed. */
  async end<T>(work: () => Promise<T>): Promise<T | undefined> {
    return this.#attempt(undefined, work);
  }

  async #attempt<T>(kind: AttestationKind | undefined, work: () => Promise<T>): Promise<T | undefined> {
    try {
      if (this.#deadline.aborted) throw new Error("time is up");
      return await work();
    } catch (error) {
      this.failures.push(error instanceof Error ? error : new Error(String(error)));
      this.#stopped ||= kind !== "sbom";
      return undefined;
    }
  }
}
