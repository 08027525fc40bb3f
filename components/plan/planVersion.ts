import { functionMistakes } from "../config/appFunctions";
import type { AppSettings } from "../config/appSettings";
import type { PlannedVersion } from "../decide/appPlan";
import type { Wait } from "../decide/backoff";
import { type VersionFacts, type VersionPlan, decideVersion, withholdBuild, writesIndex } from "../decide/versionPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { RecordedImage } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import type { Probe } from "../model/probe";
import type { PublishedVersion } from "../model/published";
import { reasonOf } from "../model/reasonOf";
import { digestIn, siblingOf } from "../model/reference";
import { type Release, gitReferenceOf } from "../model/release";
import { resolveSource } from "../model/source";
import type { VersionRecord } from "../model/versionRecord";
import { type Acceptance, acceptHandedOver } from "./acceptHandedOver";
import { type Upstream, askUpstream } from "./offers";
import { indexToCopy } from "./officialImage";
import { type HeldVersion, type Ownership, examineOwnership, publishedByOthers } from "./ownership";
import { lostStatements, planAttestation, planReferrers } from "./planAttestation";
import type { PlanEdges, PreparedBuild } from "./planEdges";

/** One version to look at. At least one of `release` and `managed` is there. */
export interface VersionRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly version: string;
  readonly tag: string;
  readonly release?: Release;
  readonly managed?: PublishedVersion;
  /** The last run recorded nothing of the version. */
  readonly unrecorded?: true;
  /** An earlier run declared the version's attestations. */
  readonly attested: boolean;
  /** How the version came to be, as the state has it. */
  readonly stated?: VersionRecord;
  /** An earlier run declared that upstream's referrers are copied. */
  readonly referrers: boolean;
  /** The commit that was recorded for the version first. */
  readonly recordedCommit?: string;
  readonly inWindow: boolean;
  /** What build runs handed over. */
  readonly handedOver: PerPlatform<RecordedImage>;
}

/** Looks at one version from all sides and decides what to do about it. Never rejects: trouble becomes the plan's `problem`. */
export async function planVersion(request: VersionRequest, edges: PlanEdges): Promise<PlannedVersion> {
  const { tag, release, managed, inWindow } = request;
  const seen = await lookAtVersion(request, edges);
  const { facts, official, offers, ours, adopting, held } = seen;
  const plan = decideVersion(facts);
  const trouble = whyNotBuilt(request, plan, offers.trouble ?? official.trouble) ?? doubt(plan, held?.ownership);
  const { accepted, refused } = await acceptHandedOver(request, official.copies, edges);
  const prepared: Prepared =
    trouble === undefined
      ? await prepare(request, plan.build, { accepted, refused, copies: official.copies }, edges)
      : { problem: trouble };
  const decided = (prepared.problem ?? prepared.waiting) ? withholdBuild(facts, prepared.problem) : plan;
  const index = isNew(decided) && nothingBuilt(accepted) ? indexToCopy(official, decided.build) : undefined;
  const planned: PlannedVersion = {
    version: request.version,
    tag,
    inWindow,
    required: seen.required,
    plan: decided,
    recipes: prepared.build?.recipes ?? [],
    unpublishedBases: prepared.build?.unpublishedBases ?? [],
    warnings: [...remarksOf(facts.probe, decided), ...(prepared.build?.warnings ?? [])],
    keptBases: await keptBases(request, edges),
    notOffered: offers.missing,
    ...(facts.elsewhere && facts.elsewhere.length > 0 && { elsewhere: facts.elsewhere }),
    official: official.platforms,
    copies: official.copies,
    records: usable(accepted, decided.build),
    adopted: held ? publishedByOthers(held, ours, { adopting, provenance: edges.attestations.config.provenance }) : [],
    adopting,
    known: adopting && held ? [...ours, held.present.digest] : ours,
    ...(release && { upstream: upstreamOf(request, release) }),
    ...(index !== undefined && { copiedIndex: index }),
    ...(facts.wanted.length === 0 && official.skipped.length > 0 && isNothing(decided, managed) && { left: true }),
    attested: managed?.attested ?? request.attested,
    ...(prepared.waiting !== undefined && { waiting: prepared.waiting }),
    ...(release && { release }),
    ...(managed && { managed }),
    ...(request.unrecorded && { unrecorded: true }),
    ...(request.recordedCommit !== undefined && { recordedCommit: request.recordedCommit }),
  };
  return { ...planned, ...(await planAttached(request, planned, seen, edges)) };
}

/** What registry, upstream and the stack's own state say of a version, before anything is decided about it. */
interface SeenVersion extends Upstream {
  readonly facts: VersionFacts;
  /** Platforms without which it is not complete, in whichever run. */
  readonly required: readonly Platform[];
  /** What the state says was built here, and what is upstream's own where that is copied, signed or not. */
  readonly ours: readonly Digest[];
  /** What others published is taken over. */
  readonly adopting: boolean;
  /** Undefined when the tag names nothing, or nothing had to be found out about whose that is. */
  readonly held?: HeldVersion;
}

async function lookAtVersion(request: VersionRequest, edges: PlanEdges): Promise<SeenVersion> {
  const { repository, tag, release, managed, settings } = request;
  const probe = await edges.probe(`${repository}:${tag}`);
  const recordedManifests = await probeRecorded(request, probe, edges);
  const covered = settings.platforms.filter(edges.run.covers);
  const { official, offers } = await askUpstream(request, probe, covered, edges);
  const required = settings.platformsRequired.filter((platform) => !official.skipped.includes(platform));
  const ours = [
    ...Object.values(managed?.images ?? {}),
    ...Object.values(official.copies).flatMap((copy) => digestIn(copy) ?? []),
    ...(official.copied?.besides ?? []),
  ];
  const adopting = settings.adopted ?? edges.attestations.config.adopted;
  const ownership =
    probe.state === "present" ? await examineOwnership({ ...request, present: probe, known: ours }, edges) : undefined;
  const facts: VersionFacts = {
    wanted: covered.filter((platform) => !(platform in offers.missing) && !official.skipped.includes(platform)),
    // A build run leaves the judgement of what is complete to the run that publishes.
    required: edges.run.phase === "build" ? [] : required,
    elsewhere: settings.platforms.filter((platform) => !covered.includes(platform)),
    inWindow: request.inWindow && release !== undefined,
    probe,
    recordedManifests,
    immutable: settings.immutableTags,
    ...(managed && { managed }),
    ...(ownership?.reason !== undefined && !adopting && { foreign: ownership.reason }),
  };
  const held = probe.state === "present" && ownership ? { present: probe, ownership } : undefined;
  return { facts, required, official, offers, ours, adopting, ...(held && { held }) };
}

/** What is done about a version's statements, and about what upstream attached to what is copied. */
async function planAttached(
  { repository, specification, stated, referrers: declared }: VersionRequest,
  planned: PlannedVersion,
  { official, held }: SeenVersion,
  edges: PlanEdges,
): Promise<Pick<PlannedVersion, "warnings" | "attestation" | "referrers">> {
  const { config } = edges.attestations;
  const asked = { repository, config, planned, ...(stated && { stated }), ...(held && { held }) };
  const attestation = planAttestation(asked);
  const referrers = await planReferrers({ repository, specification, planned, official, declared }, edges);
  const scans = attestation?.scans.filter(edges.run.covers) ?? [];
  return {
    warnings: [...planned.warnings, ...lostStatements(asked)],
    ...(attestation && { attestation: { ...attestation, scans } }),
    ...(referrers && { referrers }),
  };
}

/** What keeps its images from being built before anything is prepared: mistakes of the app's file, or trouble with upstream. */
function whyNotBuilt(
  { specification, release }: VersionRequest,
  { build }: VersionPlan,
  trouble: string | undefined,
): string | undefined {
  if (build.length === 0) return undefined;
  const mistakes = release ? functionMistakes(specification, release, build) : [];
  return mistakes.length > 0 ? mistakes.join("; ") : trouble;
}

/** Nothing is added to what may be anybody's. */
function doubt(plan: VersionPlan, ownership: Ownership | undefined): string | undefined {
  return writesIndex(plan) ? ownership?.trouble : undefined;
}

/** The release a version stands for, from where its source really comes. */
function upstreamOf(
  { specification, settings }: VersionRequest,
  release: Release,
): NonNullable<PlannedVersion["upstream"]> {
  const { url } = resolveSource(specification.source, settings.repository);
  const { kind, name } = gitReferenceOf(release);
  return { repository: url, reference: name, kind, commit: release.commit };
}

/** What was only scanned stands for nothing that is to be built. */
function usable(records: PerPlatform<RecordedImage>, build: readonly Platform[]): PerPlatform<RecordedImage> {
  const entries = platformEntries(records);
  return Object.fromEntries(
    entries.filter(([name, { record }]) => record.origin !== "scanned" || !build.includes(name)),
  );
}

/** What is odd about the index a tag names, and what it becomes. */
function remarksOf(probe: Probe, plan: VersionPlan): readonly string[] {
  if (probe.state !== "present") return [];
  const becomes = "its Docker manifest list becomes an OCI index, in which the images it lists stay as they are";
  return [...(probe.remarks ?? []), ...(probe.dockerList && writesIndex(plan) ? [becomes] : [])];
}

/** Neither there, nor to be made, nor ever declared. */
function isNothing({ present, sources }: PlannedVersion["plan"], managed: PublishedVersion | undefined) {
  return !present && !sources && !managed;
}

function nothingBuilt(records: PerPlatform<RecordedImage>): boolean {
  return Object.values(records).every(({ record }) => record.origin !== "built");
}

/** Everything the index is made from is new. */
function isNew({ sources }: PlannedVersion["plan"]): boolean {
  return sources !== undefined && sources.every(({ kind }) => kind === "build");
}

/** Asks about the recorded platform manifests, where the tag no longer says what was recorded. */
async function probeRecorded(
  { managed, repository, inWindow }: VersionRequest,
  probe: Probe,
  edges: PlanEdges,
): Promise<NonNullable<VersionFacts["recordedManifests"]>> {
  const needed = probe.state === "absent" ? inWindow : probe.state === "present" && probe.digest !== managed?.digest;
  if (!managed || !needed) return {};
  const recorded = platformEntries(managed.platforms);
  const answers = await Promise.all(
    recorded.map(
      async ([platform, digest]) => [platform, (await edges.probe(`${repository}@${digest}`)).state] as const,
    ),
  );
  return Object.fromEntries(answers);
}

/** The recorded images of unpublished bases that are still there; those that are gone are not declared again. */
async function keptBases(
  { managed, repository }: VersionRequest,
  edges: PlanEdges,
): Promise<PlannedVersion["keptBases"]> {
  const kept = Object.entries(managed?.baseImages ?? {}).map(async ([app, images]) => {
    const entries = platformEntries(images);
    const states = await Promise.all(
      entries.map(([, digest]) => edges.probe(`${siblingOf(repository, app)}@${digest}`)),
    );
    return [app, Object.fromEntries(entries.filter((_, position) => states[position]?.state !== "absent"))] as const;
  });
  return Object.fromEntries(await Promise.all(kept));
}

interface Prepared {
  readonly build?: PreparedBuild;
  readonly problem?: string | undefined;
  readonly waiting?: Wait;
}

async function prepare(
  { specification, settings, version, release }: VersionRequest,
  build: readonly Platform[],
  { accepted, refused, copies }: Acceptance & { readonly copies: PerPlatform<string> },
  edges: PlanEdges,
): Promise<Prepared> {
  const missing = build.filter((platform) => (accepted[platform]?.record.origin ?? "scanned") === "scanned");
  const needed = missing.filter((platform) => !(platform in copies));
  const publishing = edges.run.phase === "publish";
  if (!release || (publishing ? missing : needed).length === 0) return {};
  const wait = await edges.wait(specification.name, version);
  if (wait) return { waiting: wait };
  if (publishing) {
    const absent = missing.filter((platform) => !(platform in refused));
    const problems = [
      ...(absent.length > 0 ? [`no build run handed over a record that is accepted for ${absent.join(", ")}`] : []),
      ...missing.flatMap((platform) => refused[platform] ?? []),
    ];
    return { problem: problems.join("; ") };
  }
  try {
    return { build: await edges.prepare({ specification, settings, release, platforms: needed }) };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}
