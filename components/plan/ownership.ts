import { z } from "zod";
import { versionLabels } from "../decide/labels";
import type { AttestationKind } from "../model/attestationKind";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import { partsBesides, type PresentProbe } from "../model/probe";
import type { PublishedVersion } from "../model/published";
import { reasonOf } from "../model/reasonOf";
import type { AttachedLists, AttestationProbe } from "../probe/attachedAttestations";
import { type UpstreamRequest, officialOf } from "./offers";
import type { PlanEdges } from "./planEdges";

/** A version whose tag names something. */
export interface OwnershipRequest extends Pick<UpstreamRequest, "specification" | "settings" | "release"> {
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly version: string;
  /** The version's tag in the mirror. */
  readonly tag: string;
  readonly present: PresentProbe;
  /** Manifests that are ours, signed or not: those this stack's state says it built, and upstream's own where they are copied. */
  readonly known: readonly Digest[];
  /** As the state has it. */
  readonly managed?: PublishedVersion;
}

/** What a version's tag names, and whose that is. */
export interface HeldVersion {
  readonly present: PresentProbe;
  readonly ownership: Ownership;
}

/** Whose a published version is, as far as reading tells: nothing is signed, completed or moved before cosign has said the same. */
export interface Ownership {
  /** What is attached to its digests. Undefined: the registry gave no usable answer. */
  readonly lists?: AttachedLists;
  /** Why nobody knows whose it is. */
  readonly trouble?: string;
  /** Platforms whose image carries nothing of ours. */
  readonly foreign: readonly Platform[];
  /** Why it is not ours; undefined: it is. */
  readonly reason?: string;
  /** Something that is signed says which version it is. */
  readonly told?: true;
}

/**
 * Finds out whose the image under a version's tag is: by what is signed, and where that says nothing of the version, by labels.
 * Undefined: there was nothing to find out. Never rejects.
 */
export async function examineOwnership(request: OwnershipRequest, edges: PlanEdges): Promise<Ownership | undefined> {
  const { present, known, managed } = request;
  const { attestations } = edges;
  const signed = attestations.config.signing.mode === "off" ? undefined : await bySignatures(request, attestations);
  // What the state says it wrote needs no label.
  const isKnown = managed?.digest === present.digest || signed?.told === true;
  if (isKnown || (signed?.reason ?? signed?.trouble) !== undefined) return signed;
  const counts = signed?.lists?.get(present.digest)?.counts ?? {};
  // Where its index carries nothing of ours, its images may have been put together with others.
  const every = signed !== undefined && Object.values(counts).every((count) => count === 0);
  const labelled = await byLabels(request, every, edges);
  if (labelled.reason === undefined) return { ...signed, ...labelled };
  // What was copied from upstream has upstream's labels.
  const { copied, trouble } = await officialOf(request, edges);
  if (trouble !== undefined) return { ...signed, trouble, foreign: [] };
  const ours = [...known, ...Object.values(copied?.platforms ?? {})];
  return { ...signed, ...(copied ? await byLabels({ ...request, known: ours }, every, edges) : labelled) };
}

/**
 * It is ours when what is signed about its index by us says that it is this very version, or when every platform manifest is known
 * to be ours and it holds nothing else.
 */
async function bySignatures(request: OwnershipRequest, edges: AttestationProbe): Promise<Ownership> {
  const { repository, present } = request;
  const platforms = { ...present.misdescribed, ...present.platforms };
  try {
    const version = { indexDigest: present.digest, platformDigests: platforms };
    const lists = await edges.attached(repository, version);
    return { lists, ...judge(request, platforms, lists) };
  } catch (error) {
    const trouble = `its attestations could not be looked up: ${reasonOf(error)}`;
    return { trouble: trouble.replaceAll(`${repository}@`, ""), foreign: [] };
  }
}

function judge(
  { repository, version, tag, present, known }: OwnershipRequest,
  platforms: PerPlatform<Digest>,
  lists: AttachedLists,
): Pick<Ownership, "foreign" | "reason" | "told"> {
  const signed = (digest: Digest): boolean => Object.values(lists.get(digest)?.counts ?? {}).some((count) => count > 0);
  const said = [...mirrorRecords(lists, present.digest), ...buildRecords(lists, Object.values(platforms))];
  const contradiction = said.find(
    (about) => about.version !== version || about.tag !== tag || about.repository !== repository,
  );
  if (contradiction) {
    const reason = `what is signed about it says that it is ${contradiction.repository}:${contradiction.tag}, version ${contradiction.version}`;
    return { foreign: platformEntries(platforms).map(([platform]) => platform), reason };
  }
  const besides = partsBesides(present, known);
  const isSigned = signed(present.digest);
  if (isSigned && (besides.length === 0 || holdsOthers(lists, present.digest)))
    return { foreign: [], ...(said.length > 0 && { told: true }) };
  const foreign = platformEntries(platforms).flatMap(([platform, digest]) =>
    known.includes(digest) || signed(digest) ? [] : [platform],
  );
  if (foreign.length === 0 && besides.length > 0) {
    const index = isSigned ? "its index is signed as one this mirror built" : "its index is not signed";
    return { foreign, reason: `${index}, and holds besides its images ${besides.join(", ")}` };
  }
  if (foreign.length === 0) return { foreign };
  return { foreign, reason: `nothing this mirror signed is attached to it for ${foreign.join(", ")}` };
}

/**
 * By what its images, or the first, say of themselves. That proves nothing; but an image that does not even say that it is this version
 * was not made by this mirror for this tag, nor one that is for another platform than its index has it.
 */
async function byLabels(
  { repository, version, present, known, specification }: OwnershipRequest,
  every: boolean,
  edges: Pick<PlanEdges, "said">,
): Promise<Ownership> {
  const listed = platformEntries({ ...present.misdescribed, ...present.platforms });
  const foreign = listed.filter(([, digest]) => !known.includes(digest));
  const wanted = versionLabels(specification, version);
  try {
    for (const [platform, digest] of every ? foreign : foreign.slice(0, 1)) {
      const said = await edges.said(`${repository}@${digest}`);
      const reason = said.platform === platform ? labelProblem(said.labels, wanted) : `is one for ${said.platform}`;
      if (reason !== undefined)
        return { foreign: foreign.map(([name]) => name), reason: `its image for ${platform} ${reason}` };
    }
    return { foreign: [] };
  } catch (error) {
    return { trouble: `its images could not be looked at: ${reasonOf(error)}`, foreign: [] };
  }
}

function labelProblem(
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): string | undefined {
  const [key, value] = Object.entries(wanted).find(([name, text]) => found[name] !== text) ?? [];
  if (key === undefined) return undefined;
  const has = found[key] === undefined ? `has no label ${key}` : `is labelled ${key}=${JSON.stringify(found[key])}`;
  return `${has}, wanted is ${JSON.stringify(value)}`;
}

/** What a signed statement says it is about. */
interface About {
  readonly repository: string;
  readonly version: string;
  readonly tag: string;
}

const mirrorRecord = z.object({
  version: z.string(),
  image: z.object({ repository: z.string(), tag: z.string() }),
  platforms: z.array(
    z.object({ platform: z.string().default(""), origin: z.string(), adopted: z.boolean().default(false) }),
  ),
});

function mirrorRecords(lists: AttachedLists, index: Digest): readonly About[] {
  return recordsOn(lists, index).map(({ version, image }) => ({ version, ...image }));
}

function recordsOn(lists: AttachedLists, index: Digest): readonly z.output<typeof mirrorRecord>[] {
  return statements(lists, index, "mirror").flatMap((predicate) => mirrorRecord.safeParse(predicate).data ?? []);
}

/** Whether it is said of an index that not all in it was built here: what others put into an index stays when that is completed. */
function holdsOthers(lists: AttachedLists, index: Digest): boolean {
  return recordsOn(lists, index).some(({ platforms }) => platforms.some(({ origin }) => origin !== "built"));
}

const buildProvenance = z.object({
  buildDefinition: z.object({
    externalParameters: z.object({ image: z.object({ repository: z.string(), tag: z.string() }), version: z.string() }),
  }),
});

function buildRecords(lists: AttachedLists, platforms: readonly Digest[]): readonly About[] {
  return platforms.flatMap((digest) =>
    statements(lists, digest, "provenance").flatMap((predicate) => {
      const parsed = buildProvenance.safeParse(predicate);
      if (!parsed.success) return [];
      const { version, image } = parsed.data.buildDefinition.externalParameters;
      return [{ version, ...image }];
    }),
  );
}

function statements(lists: AttachedLists, digest: Digest, kind: AttestationKind): readonly unknown[] {
  const bundles = lists.get(digest)?.bundles ?? [];
  return bundles.flatMap((bundle) => (bundle.kind === kind && bundle.statement ? [bundle.statement.predicate] : []));
}

/**
 * Platforms of a version that others published: those its mirror record says so of. A stack that takes over what others published
 * adds those nothing of ours is attached to, and where nothing is stated about the version, as after a run that was killed,
 * those it has signed without having made them.
 * @param known manifests that are ours, signed or not.
 * @param provenance whether what was made here carries its provenance.
 */
export function publishedByOthers(
  { present: { digest, platforms }, ownership: { lists, foreign } }: HeldVersion,
  known: readonly Digest[],
  { adopting, provenance }: { readonly adopting: boolean; readonly provenance: boolean },
): readonly Platform[] {
  const others = adopting ? foreign : [];
  if (!lists) return others;
  const records = recordsOn(lists, digest);
  const said = records.flatMap((record) => record.platforms.filter(({ adopted }) => adopted));
  const isStated = records.length > 0 || statements(lists, digest, "provenance").length > 0;
  const isMade = (image: Digest): boolean =>
    known.includes(image) || !provenance || statements(lists, image, "provenance").length > 0;
  return platformEntries(platforms).flatMap(([platform, image]) => {
    const isTaken = others.includes(platform) || (adopting && !isStated && !isMade(image));
    return isTaken || said.some((entry) => entry.platform === platform) ? platform : [];
  });
}

/** What a version has to carry, by what is known of how it was put together, and what nobody can restore. */
export interface ExpectedStatements {
  /** Its images carry the records of their builds. */
  readonly built: boolean;
  readonly recorded: boolean;
  /** What it should carry and does not, where its images carry nothing that could be written from. */
  readonly lost: readonly ("provenance" | "mirror")[];
}

/** Tells by what is attached to a version, and signed by us, what has to be. */
export function statementsExpected(
  lists: AttachedLists,
  index: Digest,
  platforms: readonly Digest[],
): ExpectedStatements {
  const records = recordsOn(lists, index);
  const built = platforms.some((digest) => statements(lists, digest, "provenance").length > 0);
  const stated = statements(lists, index, "provenance").length > 0;
  const claims = records.some((record) => record.platforms.some(({ origin }) => origin === "built"));
  return {
    built,
    recorded: built || records.length > 0,
    lost: [
      ...(claims && !built && !stated ? (["provenance"] as const) : []),
      ...(!built && records.length === 0 ? (["mirror"] as const) : []),
    ],
  };
}
