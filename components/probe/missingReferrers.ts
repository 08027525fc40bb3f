import { type Digest, referrersTag, hexOf } from "../model/digest";
import { type Descriptor, type Manifest, manifestKind } from "../registry/manifest";
import { unlessUnreadable } from "../registry/registryError";

/** What has been copied from upstream's repository, by digest. Both repositories are written with their registry. */
export interface CopiedManifests {
  readonly from: string;
  readonly to: string;
  readonly digests: readonly Digest[];
}

/** What finding referrers reads; `RegistryClient` has it. All of it rejects when there is no usable answer. */
export interface ReferrerReader {
  referrers(repository: string, digest: Digest): Promise<readonly Descriptor[]>;
  manifest(reference: string): Promise<Manifest | undefined>;
  exists(reference: string): Promise<boolean>;
}

/** Something upstream attached to a manifest, which the copy of that manifest lacks. */
export interface MissingReferrer {
  readonly subject: Digest;
  /** As upstream has it, its bytes verified. */
  readonly manifest: Manifest;
  /** The tag by which it is found: what older versions of cosign attach names no subject. */
  readonly tag?: string;
}

/** Signature → attestation of the signature → … is as far as anybody goes. */
const deepest = 3;
/** Of one manifest, and of all that is copied of a version together. */
const most = 100;
const olderCosign = ["sig", "att", "sbom"] as const;

/**
 * Finds what upstream attached to manifests, by the referrers API or the tag that stands for it, and under the tags of older
 * versions of cosign, and what of it the copies lack; referrers of referrers too. Reads only.
 * Entries that lead nowhere, name another subject, or are no manifest or of a kind registries no longer take, are no referrers.
 * @returns in an order in which each comes after what it refers to.
 * @throws Error when there are more than anybody needs, RegistryError when a registry gives no usable answer.
 */
export async function missingReferrers(
  { from, to, digests }: CopiedManifests,
  reader: ReferrerReader,
): Promise<readonly MissingReferrer[]> {
  const missing: MissingReferrer[] = [];
  const seen = new Set<Digest>(digests);
  let level = [...seen];
  for (const subject of level) missing.push(...(await missingTags(subject, { from, to }, reader)));
  for (let depth = 1; depth <= deepest && level.length > 0; depth++) {
    const found = await Promise.all(level.map((subject) => referrersOf(subject, { from, to }, reader)));
    const fresh = found.flat().filter(({ digest }) => !seen.has(digest) && seen.add(digest));
    missing.push(...fresh.flatMap(({ missing: lacking }) => lacking ?? []));
    level = fresh.map(({ digest }) => digest);
    if (seen.size - digests.length > most) throw tooMany(from);
  }
  return missing;
}

interface FoundReferrer {
  readonly digest: Digest;
  readonly missing?: MissingReferrer;
}

async function referrersOf(
  subject: Digest,
  { from, to }: Pick<CopiedManifests, "from" | "to">,
  reader: ReferrerReader,
): Promise<readonly FoundReferrer[]> {
  const listed = await reader.referrers(from, subject);
  const theirs = listed.filter(({ mediaType }) => manifestKind(mediaType) !== undefined);
  if (theirs.length === 0) return [];
  if (theirs.length > most) throw tooMany(`${from}@${subject}`);
  const ours = new Set((await reader.referrers(to, subject)).map(({ digest }) => digest));
  const found = theirs.map(async ({ digest }): Promise<readonly FoundReferrer[]> => {
    if (ours.has(digest) && (await reader.exists(`${to}@${digest}`))) return [{ digest }];
    const manifest = await unlessUnreadable(reader.manifest(`${from}@${digest}`), undefined);
    return manifest?.subject?.digest === subject ? [{ digest, missing: { subject, manifest } }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function missingTags(
  subject: Digest,
  { from, to }: Pick<CopiedManifests, "from" | "to">,
  reader: ReferrerReader,
): Promise<readonly MissingReferrer[]> {
  const found = olderCosign.map(async (kind): Promise<readonly MissingReferrer[]> => {
    const tag = `${referrersTag(subject)}.${kind}`;
    const manifest = await reader.manifest(`${from}:${tag}`);
    if (!manifest || (await reader.exists(`${to}:${tag}`))) return [];
    return [{ subject, manifest, tag }];
  });
  return (await Promise.all(found)).flat();
}

function tooMany(where: string): Error {
  return new Error(`more than ${most} referrers are attached to ${where}; accepted are at most ${most}`);
}

/** A referrer in a few words. */
export function describeReferrer({ subject, manifest, tag }: MissingReferrer): string {
  const type = manifest.artifactType ?? (manifest.kind === "image" ? manifest.config.mediaType : manifest.mediaType);
  const what = tag === undefined ? type : tag.slice(tag.lastIndexOf(".") + 1);
  return `${JSON.stringify(what.slice(0, 100))} of ${hexOf(subject).slice(0, 12)}`;
}
