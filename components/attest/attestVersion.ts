import { composeVersionRecord } from "../decide/composeVersionRecord";
import type { BuiltRecord } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import { type PerPlatform, platformEntries } from "../model/platform";
import { partsBesides, type PresentProbe } from "../model/probe";
import type { VersionRecord } from "../model/versionRecord";
import { type AttestationReader, listAttestations } from "../probe/attachedAttestations";
import type { ImageConfiguration } from "../registry/imageConfiguration";
import type { ImageManifest } from "../registry/manifest";
import { once } from "../system/once";
import type { AttestPlan } from "./attestPlan";
import { requirementsOf } from "./inspectAttestations";
import { type AttestEdges, addMissingAttestations, isSigned } from "./addMissingAttestations";
import { recordsIn } from "./provenance";

/** What was done. */
export interface AttestSummary {
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
  /** What was missing and has been added, in words. */
  readonly added: readonly string[];
}

type Platforms = PerPlatform<Digest>;

type OwnershipReader = AttestationReader & {
  imageConfig(repository: string, manifest: ImageManifest): Promise<Pick<ImageConfiguration, "labels" | "platform">>;
};
type OwnershipEdges = Pick<AttestEdges, "signer" | "cosign"> & { readonly reader: OwnershipReader };

/** A version that may be signed: what its index holds, and how it came to be where that is known. */
export interface AttestedIndex {
  readonly platforms: Platforms;
  readonly record?: VersionRecord;
}

/**
 * Finds out what an index holds and whether it may be signed. It is ours when it carries a valid signature of ours, which cosign says
 * and no label; or when every platform manifest it lists does, it lists each as what it is, and nothing else. It is of this version when
 * that is what its own record, the provenance of its images or their labels say. Only a stack that takes over what others published
 * signs others.
 * @throws Error saying what is not ours, or about another version.
 */
export async function examineIndex(plan: AttestPlan, edges: OwnershipEdges): Promise<AttestedIndex> {
  const present = await readIndex(plan.repository, plan.indexDigest, edges.reader);
  const { platforms } = present;
  const saidBy = configurations(plan.repository, edges.reader);
  const isOurs = plan.config.adopted || (await isSigned(plan.repository, plan.indexDigest, edges));
  if (!isOurs) {
    await refuseForeign(plan, present, edges);
    await refuseMisplaced(plan, platforms, saidBy);
  }
  // What a plan knows without a build are origins: the builds are asked of the images.
  const isBuilt = plan.record !== undefined && plan.record.builds.length > 0;
  const record = isBuilt ? plan.record : ((await signedRecord(plan, platforms, edges)) ?? plan.record);
  if (!isOurs && plan.record === undefined) await refuseSilent(plan, platforms, record, saidBy);
  const lacking = Object.keys(record?.platforms ?? {}).filter((platform) => !(platform in platforms));
  if (lacking.length > 0) throw new Error(`it has no ${lacking.join(", ")}, which were said to be in it`);
  return { platforms, ...(record && { record }) };
}

/**
 * Completes the attestations of one version.
 * @throws Error as {@link addMissingAttestations}.
 */
export async function attestVersion(
  plan: AttestPlan,
  { platforms, record }: AttestedIndex,
  edges: AttestEdges,
): Promise<AttestSummary> {
  const { repository, indexDigest: digest, sealed } = plan;
  const required = requirementsOf(plan, platforms, record);
  const { added } = await addMissingAttestations({ repository, platforms, required, sealed }, edges);
  return { digest, platforms, added };
}

async function refuseForeign(plan: AttestPlan, present: PresentProbe, edges: OwnershipEdges): Promise<void> {
  const { repository, known } = plan;
  const judged = platformEntries(present.platforms).map(async ([platform, digest]) =>
    known.includes(digest) || (await isSigned(repository, digest, edges)) ? [] : [platform],
  );
  const foreign = (await Promise.all(judged)).flat();
  const besides = foreign.length === 0 ? await strangersParts(plan, present, edges) : [];
  if (foreign.length + besides.length === 0) return;
  const what =
    foreign.length > 0
      ? `${foreign.join(", ")} carries no valid signature of this mirror`
      : `its index holds besides its images ${besides.join(", ")}`;
  throw new Error(`not ours: ${what}; it is signed only with "adopted: true"`);
}

/** What an index of which only the images are signed holds besides them, and did not hold before it was completed. */
async function strangersParts(
  { repository, known, completed }: AttestPlan,
  present: PresentProbe,
  edges: OwnershipEdges,
): Promise<readonly string[]> {
  const besides = partsBesides(present, known);
  if (besides.length === 0 || completed === undefined) return besides;
  const isOurs = known.includes(completed) || (await isSigned(repository, completed, edges));
  if (!isOurs) return besides;
  const { others, further = [] } = await readIndex(repository, completed, edges.reader);
  return partsBesides(present, [...known, ...others, ...further]);
}

/** Refuses an index that others put together of images of ours, and that lists one for another platform than its own. */
async function refuseMisplaced({ sealed }: AttestPlan, platforms: Platforms, saidBy: Configurations): Promise<void> {
  const foreign = platformEntries(platforms).filter(([, digest]) => !sealed.includes(digest));
  const judged = foreign.map(async ([platform, digest]) => {
    const own = (await saidBy(digest))?.platform;
    return own === undefined || own === platform ? [] : [`its image for ${platform} is one for ${own}`];
  });
  const misplaced = (await Promise.all(judged)).flat();
  if (misplaced.length > 0) throw new Error(`not ours: ${misplaced.join("; ")}`);
}

/** Refuses images that are signed, and as an image of which version nothing says: what is signed cannot have been given other labels. */
async function refuseSilent(
  { version, known, labels }: AttestPlan,
  platforms: Platforms,
  record: VersionRecord | undefined,
  saidBy: Configurations,
): Promise<void> {
  const judged = platformEntries(platforms).map(async ([platform, digest]) => {
    if (known.includes(digest) || record?.builds.some(({ image }) => image.digest === digest)) return [];
    const own = (await saidBy(digest))?.labels ?? {};
    return Object.entries(labels).every(([key, value]) => own[key] === value) ? [] : [platform];
  });
  const others = (await Promise.all(judged)).flat();
  if (others.length > 0)
    throw new Error(`not ours: ${others.join(", ")} is signed, but not as an image of version ${version}`);
}

/** What an image says of itself; undefined when there is none. */
type Configurations = (digest: Digest) => Promise<Pick<ImageConfiguration, "labels" | "platform"> | undefined>;

/** Asks each image once. */
function configurations(repository: string, reader: OwnershipReader): Configurations {
  return once(async (digest) => {
    const manifest = await reader.manifest(`${repository}@${digest}`);
    return manifest?.kind === "image" ? reader.imageConfig(repository, manifest) : undefined;
  });
}

/** The version's record out of the provenance its images carry, signed by us; undefined when none does. */
async function signedRecord(
  { repository, version, tag, record: known }: AttestPlan,
  platforms: Platforms,
  edges: OwnershipEdges,
): Promise<VersionRecord | undefined> {
  const found = await Promise.all(
    Object.values(platforms).map(async (digest) => {
      const { counts } = await listAttestations(edges.reader, repository, digest, edges.signer);
      const statements =
        counts.provenance > 0 ? await edges.cosign.statements(`${repository}@${digest}`, "provenance") : [];
      return statements
        .flatMap(({ predicate }) => recordsIn(predicate))
        .find((record) => record.image.digest === digest && record.image.repository === repository);
    }),
  );
  const records = found.filter((record): record is BuiltRecord => record !== undefined);
  const other = records.find((record) => record.version !== version || record.tag !== tag);
  if (other)
    throw new Error(`not ours: its ${other.platform} is the image of version ${other.version}, not ${version}`);
  const [first] = records;
  if (!first) return undefined;
  const { upstream } = first;
  const signed = composeVersionRecord({ version, tag, repository, upstream, records, present: platforms });
  const built = new Set<string>(records.map(({ platform }) => platform));
  const origins = Object.entries(known?.platforms ?? {}).filter(([platform]) => !built.has(platform));
  return { ...signed, platforms: { ...signed.platforms, ...Object.fromEntries(origins) } };
}

/** What an index lists, as it says itself. */
async function readIndex(repository: string, digest: Digest, reader: AttestationReader): Promise<PresentProbe> {
  const reference = `${repository}@${digest}`;
  const probe = await reader.probe(reference, { skipChildren: true });
  if (probe.state === "unknown")
    throw new Error(`the registry gave no usable answer about ${reference}: ${probe.reason}`);
  if (probe.state === "absent") throw new Error(`${reference} is not in the registry, so it cannot be signed`);
  if (Object.keys(probe.platforms).length === 0)
    throw new Error(`${reference} lists no platform; accepted is an image`);
  return probe;
}
