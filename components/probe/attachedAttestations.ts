import type { Readable } from "node:stream";
import type { AttestConfig, WantedAttestations } from "../config/attestConfig";
import type { MirrorConfig } from "../config/mirrorConfig";
import type { MissingAttestation } from "../decide/attestationMode";
import { type AttestationKind, kindOf } from "../model/attestationKind";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import type { Probe } from "../model/probe";
import { isSbomOf, type SbomSubject } from "../model/sbom";
import type { ExpectedSigner } from "../model/signer";
import type { Descriptor, Manifest } from "../registry/manifest";
import type { RegistryClient } from "../registry/registryClient";
import { RegistryError, unlessUnreadable } from "../registry/registryError";
import { Limiter } from "../system/limiter";
import { type ReadBundle, type SignedStatement, readBundle } from "./bundle";

/** The media type of Sigstore bundles: of the artifact, and of what is in it. */
export const bundleType = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.[0-9]+\+json$/;
/** The media type of an empty configuration. Lists say it of an artifact whose manifest alone says what it is. */
export const emptyType = "application/vnd.oci.empty.v1+json";
/** The annotation that says of a bundle's manifest what is stated. */
export const predicateAnnotation = "dev.sigstore.bundle.predicateType";
/** The largest log entries take 3 MiB; the bundle that holds one of those is smaller than this by far. */
const longestBundle = 16 * 1024 * 1024;
/** Bytes, of bundles that are read many at once. Whatever others attach, and upstream did to what is copied, leaves room in memory. */
const smallBundle = 1024 * 1024;
const [many, few] = [new Limiter(64), new Limiter(4)];

/** A bundle attached to a digest, with a kind of predicate the mirror writes. */
interface AttachedBundle {
  /** Of its manifest. */
  readonly digest: Digest;
  readonly kind: AttestationKind;
  /** What the expected signer states in it; undefined when it is not a statement of that signer about that digest. */
  readonly statement?: SignedStatement;
  /** Why it does not count, where it does not. */
  readonly problem?: string;
}

/** What is attached to one digest. */
export interface AttestationList {
  /** All that is listed, whatever it is. */
  readonly entries: readonly Digest[];
  /** How many of each kind the expected signer made. */
  readonly counts: Readonly<Record<AttestationKind, number>>;
  /** All of a kind the mirror writes, whoever made them. */
  readonly bundles: readonly AttachedBundle[];
}

/**
 * Lists the cosign bundles attached to a digest, and tells by each bundle itself who signed it ({@link readBundle}).
 *
 * As cosign 3.1 writes them, each is a referrer whose manifest has the artifact type `application/vnd.dev.sigstore.bundle.v0.3+json`
 * and the predicate type as an annotation. Lists repeat both, one of them or neither: entries without a type are opened.
 * A bundle costs two requests, as its content is beside its manifest.
 * @throws when the registry gives no usable answer.
 */
export async function listAttestations(
  reader: AttestationReader,
  repository: string,
  digest: Digest,
  signer: ExpectedSigner,
): Promise<AttestationList> {
  const entries = await reader.referrers(repository, digest);
  const place = { reader, repository, digest, signer };
  const opened = await Promise.all(entries.filter(perhapsBundle).map((entry) => open(entry, place)));
  const bundles = opened.filter((bundle) => bundle !== undefined);
  const counts = { signature: 0, sbom: 0, provenance: 0, mirror: 0 };
  for (const { kind, statement } of bundles) if (statement) counts[kind]++;
  return { entries: entries.map((entry) => entry.digest), counts, bundles };
}

function perhapsBundle({ artifactType, annotations }: ListedManifest): boolean {
  const listed = annotations[predicateAnnotation];
  if (listed !== undefined && kindOf(listed) === undefined) return false;
  return artifactType === undefined || artifactType === emptyType || bundleType.test(artifactType);
}

interface Place {
  readonly reader: AttestationReader;
  readonly repository: string;
  readonly digest: Digest;
  readonly signer: ExpectedSigner;
}

/** Undefined for what is gone, too, as a list under a tag keeps its entry, and for what others attached that is no manifest. */
async function open({ digest }: ListedManifest, place: Place): Promise<AttachedBundle | undefined> {
  const manifest = await unlessUnreadable(place.reader.manifest(`${place.repository}@${digest}`), undefined);
  return manifest && readAttached(manifest, place);
}

/** Undefined for what is no bundle of a kind the mirror writes. */
async function readAttached(manifest: Manifest, place: Place): Promise<AttachedBundle | undefined> {
  const kind = kindOf(manifest.annotations[predicateAnnotation]);
  const type = manifest.artifactType ?? (manifest.kind === "image" ? manifest.config.mediaType : "");
  const [layer] = manifest.kind === "image" ? manifest.layers : [];
  if (kind === undefined || layer === undefined || !bundleType.test(type)) return undefined;
  const bundle = { digest: manifest.digest, kind };
  if (layer.size > longestBundle) return { ...bundle, problem: `it has ${layer.size} bytes` };
  const { statement, problem } = await (layer.size > smallBundle ? few : many).run(() => readLayer(layer, place));
  if (statement === undefined) return { ...bundle, problem };
  return kindOf(statement.predicateType) === kind
    ? { ...bundle, statement }
    : { ...bundle, problem: `it states ${JSON.stringify(statement.predicateType)}` };
}

async function readLayer(
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  { reader, repository, digest: about, signer }: Place,
): Promise<ReadBundle> {
  try {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of (await reader.blob(repository, digest)) as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > size) return { problem: "it is longer than its manifest says" };
      pieces.push(piece);
    }
    return readBundle(Buffer.concat(pieces), about, signer);
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return { problem: "its content is gone" };
    throw error;
  }
}

/** An entry of a referrers list. Registries without the referrers API have no annotations in it. */
interface ListedManifest {
  readonly digest: Digest;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What reading attestations needs of a registry; `RegistryClient` has it. All reject when there is no usable answer:
 * "nothing there" is a real 404 only.
 */
export interface AttestationReader {
  /** The referrers of a digest, by the API or the fallback tag `sha256-<hex>`; none is an empty list. */
  referrers(repository: string, digest: Digest): Promise<readonly ListedManifest[]>;
  /** A manifest by reference; undefined when it is absent. */
  manifest(reference: string): Promise<Manifest | undefined>;
  /** The content of a blob; a RegistryError with status 404 when it is absent. */
  blob(repository: string, digest: Digest): Promise<Readable>;
  probe(reference: string, options: { readonly skipChildren: boolean }): Promise<Probe>;
}

/** A published version, by digest. A version that is a single manifest has one platform with the same digest. */
export interface AttestedVersion {
  readonly indexDigest: Digest;
  readonly platformDigests: PerPlatform<Digest>;
}

/** What is attached to the index of a version and to each of its platform manifests. */
export type AttachedLists = ReadonlyMap<Digest, AttestationList>;

/**
 * Lists what is attached to every digest of a version: no process, no write.
 * @throws when the registry gives no usable answer: that is not "missing".
 */
export async function attachedLists(
  reader: AttestationReader,
  repository: string,
  { indexDigest, platformDigests }: AttestedVersion,
  signer: ExpectedSigner,
): Promise<AttachedLists> {
  const digests = [...new Set([indexDigest, ...Object.values(platformDigests)])];
  const lists = digests.map(
    async (digest) => [digest, await listAttestations(reader, repository, digest, signer)] as const,
  );
  return new Map(await Promise.all(lists));
}

/**
 * What a published version lacks of the expected signer's. What others signed, and what was signed under another identity or with
 * another key, is missing until it has been mended, and so is an SBOM where one of something else is attached. The index must carry
 * the SBOM of each platform; which of them is missing there is found out when it is attested.
 */
export function missingAttestations(
  repository: string,
  { indexDigest, platformDigests }: AttestedVersion,
  wanted: WantedAttestations,
  lists: AttachedLists,
): readonly MissingAttestation[] {
  const platforms = platformEntries(platformDigests);
  const isThere = (on: Digest, kind: AttestationKind): boolean => (lists.get(on)?.counts[kind] ?? 0) > 0;
  const hasSbom = (on: Digest, platform: Platform, digest: Digest): boolean =>
    carriesSbom(lists.get(on), { repository, digest, platform });
  const onIndex = wanted.index
    .filter((kind) =>
      kind === "sbom"
        ? !platforms.every(([platform, digest]) => hasSbom(indexDigest, platform, digest))
        : !isThere(indexDigest, kind),
    )
    .map((kind) => ({ digest: indexDigest, kind }));
  const onPlatforms = platforms.flatMap(([platform, digest]) =>
    digest === indexDigest
      ? []
      : wanted.platform.flatMap((kind): readonly MissingAttestation[] => {
          if (kind === "sbom" ? hasSbom(digest, platform, digest) : isThere(digest, kind)) return [];
          return [{ digest, kind, platform, ...(isThere(digest, kind) && { wrong: true as const }) }];
        }),
  );
  return [...onIndex, ...onPlatforms];
}

/** Whether the SBOM of an image is among what is attached to a digest: one of something else is as good as none. */
export function carriesSbom(list: AttestationList | undefined, subject: SbomSubject): boolean {
  return (list?.bundles ?? []).some(
    ({ kind, statement }) => kind === "sbom" && isSbomOf(statement?.predicate, subject),
  );
}

/** What deciding about attestations reads. */
export interface AttestationProbe {
  readonly config: AttestConfig;
  /** What is attached to a version's digests, and what of it is ours. Rejects when the registry gives no usable answer. */
  readonly attached: (repository: string, version: AttestedVersion) => Promise<AttachedLists>;
}

/**
 * What deciding about attestations reads, answered by the registry client.
 * @param expected finds out whose signatures count; asked once, and only when there is something to look at.
 */
export function attestationProbe(
  registry: RegistryClient,
  { attest }: Pick<MirrorConfig, "attest">,
  expected: () => Promise<ExpectedSigner>,
): AttestationProbe {
  const { signing } = attest;
  let signer: Promise<ExpectedSigner> | undefined;
  return {
    config: attest,
    attached: async (repository, version) => {
      if (signing.mode === "off") return new Map();
      signer ??= expected();
      return attachedLists(registry, repository, version, await signer);
    },
  };
}
