import { functionMistakes } from "../config/appFunctions";
import type { AppSettings } from "../config/appSettings";
import type { AppPlan, PlannedVersion } from "../decide/appPlan";
import type { AppSpecification } from "../model/appSpecification";
import { doubtAbout } from "../decide/doubts";
import type { HandedOver } from "../handover/recordFile";
import { declaresResources, type PublishedApp } from "../model/published";
import type { Discovery, Release } from "../model/release";
import { mirrorTag, movedTags } from "../decide/versions";
import { compareVersions } from "../model/version";
import { selectWindow } from "../decide/window";
import type { PlanEdges } from "./planEdges";
import { planFloatingTags } from "./planFloatingTags";
import { planVersion } from "./planVersion";
import { reasonOf } from "../model/reasonOf";
import { watchOfficial } from "./watchOfficial";

/** One app to look at. */
export interface AppRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  /** `registry/namespace/name`. */
  readonly repository: string;
  /** What an earlier run of this stack recorded about the app. */
  readonly published?: PublishedApp | Promise<PublishedApp | undefined>;
  /** Images handed over by build runs: version → platform. */
  readonly handedOver?: HandedOver[string];
}

/**
 * Looks at one app: what upstream offers, what the registry holds, and so what is to be done.
 * Rejects only with `published`. When discovery fails, what this stack manages is planned as before and the failure is the
 * app's problem.
 */
export async function planApp(request: AppRequest, edges: PlanEdges): Promise<AppPlan> {
  const { specification, settings, repository } = request;
  // Asked while upstream is: it is wanted nearly always, and with it the registry's token is at hand when the versions are known.
  const latest = settings.floatingTags.includes("latest")
    ? edges.probe(`${repository}:latest`, { skipChildren: true })
    : undefined;
  const [found, published] = await Promise.all([discovered(request, edges), request.published]);
  const recorded = published?.repository === repository ? published : undefined;
  const planning = planVersions(request, found, recorded, edges);
  const idle = planning.then((versions) => versions.every(({ plan }) => plan.build.length === 0));
  const watched = { specification, settings, window: found.window, recorded: recorded?.official ?? {}, idle };
  const [planned, official] = await Promise.all([planning, watchOfficial(watched, edges)]);
  const left = planned.filter((version) => version.left);
  const versions = planned.filter((version) => !version.left);
  const floating = await planFloatingTags(
    {
      repository,
      rules: settings.floatingTags,
      versions,
      recorded: recorded?.floatingTags ?? {},
      ...(latest && { latest }),
      ...(found.doubt !== undefined && { heldLatest: "the highest version is in doubt" }),
      ...(found.failure !== undefined && { heldAll: "the versions of the app could not be learnt" }),
    },
    edges,
  );
  const commits = Object.fromEntries(
    Object.entries(recorded?.versions ?? {}).map(([version, { commit }]) => [version, commit]),
  );
  return {
    specification,
    repository,
    platforms: settings.platforms,
    versions,
    floatingTags: floating.tags,
    ...(found.failure === undefined && { window: windowOf(found, specification) }),
    rejected: found.discovery.rejected,
    ...(official && { official }),
    notes: [
      ...(official?.changes ?? []),
      ...(found.discovery.warnings ?? []),
      ...found.withheld.map(({ version, reason }) => `${version} is not taken: ${reason}`),
      ...left.map(
        ({ version, official }) => `${version} is left to upstream, which publishes ${official.join(", ")} itself`,
      ),
      ...movedTags(found.window, commits).map(
        ({ version, published, now }) =>
          `upstream moved the tag of ${version} from commit ${published} to ${now} after it was published; the published image stays`,
      ),
      ...(settings.immutableTags ? whatStays(versions) : []),
      ...versions.flatMap(({ version, warnings }) => warnings.map((warning) => `${version}: ${warning}`)),
      ...floating.notes,
    ],
    problems: [
      ...[found.failure, found.doubt].filter((problem) => problem !== undefined),
      ...mistakesAhead(request, found, versions),
      ...floating.problems,
    ],
  };
}

function windowOf({ window, discovery }: Found, { source }: AppSpecification): NonNullable<AppPlan["window"]> {
  const namesOf = (releases: readonly Release[]): readonly string[] => releases.map(({ version }) => version);
  // The head of a branch is no list.
  return { kept: namesOf(window), ...(source.kind !== "gitBranch" && { listed: namesOf(discovery.releases) }) };
}

/** Versions that lack platforms and are left so. One note for all: it is the same in every run. */
function whatStays(versions: readonly PlannedVersion[]): readonly string[] {
  const without = versions
    .filter(({ inWindow, plan }) => inWindow && plan.present && plan.lacking.length > 0)
    .map(({ version, plan }) => `${version} without ${plan.lacking.join(", ")}`);
  return without.length > 0 ? [`tags are not written again (immutableTags), so these stay: ${without.join("; ")}`] : [];
}

/** What would keep the next version from being built, as the highest shows, where that is published already. */
function mistakesAhead(
  { specification, settings }: AppRequest,
  { window: [highest] }: Found,
  versions: readonly PlannedVersion[],
): readonly string[] {
  const planned = versions.find(({ version }) => version === highest?.version);
  const isTold = planned?.plan.problem !== undefined || (planned?.plan.build.length ?? 0) > 0;
  return highest && !isTold ? functionMistakes(specification, highest, settings.platforms) : [];
}

interface Found {
  readonly discovery: Discovery;
  readonly window: readonly Release[];
  readonly withheld: readonly { readonly version: string; readonly reason: string }[];
  readonly failure?: string;
  /** Why the highest version may not be what upstream would call so. */
  readonly doubt?: string;
}

async function discovered({ specification, settings }: AppRequest, edges: PlanEdges): Promise<Found> {
  try {
    const discovery = await edges.discover(specification, settings);
    const { releases, withheld } = selectWindow(discovery.releases, {
      keep: settings.keep,
      exclude: settings.exclude,
      minimumReleaseAgeHours: settings.minimumReleaseAgeHours,
      now: edges.now,
    });
    const doubt = doubtAbout(discovery, { tagRule: specification.tagRule, exclude: settings.exclude });
    return { discovery, window: releases, withheld, ...(doubt !== undefined && { doubt }) };
  } catch (error) {
    const failure = reasonOf(error);
    return { discovery: { releases: [], rejected: [] }, window: [], withheld: [], failure };
  }
}

/** Plans the versions of the window and every other version this stack manages, highest first. */
async function planVersions(
  { specification, settings, repository, handedOver = {} }: AppRequest,
  found: Found,
  recorded: PublishedApp | undefined,
  edges: PlanEdges,
): Promise<readonly PlannedVersion[]> {
  const window = new Map(found.window.map((release) => [release.version, release]));
  const listed = new Map(found.discovery.releases.map((release) => [release.version, release]));
  const managed = Object.entries(recorded?.versions ?? {}).filter(([, version]) => declaresResources(version));
  const names = new Set([...window.keys(), ...managed.map(([version]) => version)]);
  const plans = [...names].map(async (version) => {
    const release = listed.get(version);
    const before = recorded?.versions[version];
    const tag = release ? mirrorTag(specification, release) : (before?.tag ?? version);
    // What was recorded of another tag says nothing about who wrote this one.
    const record = before?.tag === tag ? before : undefined;
    return planVersion(
      {
        specification,
        settings,
        repository,
        version,
        tag,
        // A failed discovery must not make managed versions look abandoned: their resources are declared all the same.
        inWindow: window.has(version) || found.failure !== undefined,
        handedOver: handedOver[version] ?? {},
        ...(release && { release }),
        ...(record ? declaresResources(record) && { managed: record } : { unrecorded: true }),
        attested: record?.attested ?? false,
        ...(record?.record && { stated: record.record }),
        referrers: record?.referrers ?? false,
        ...(record?.commit !== undefined && { recordedCommit: record.commit }),
      },
      edges,
    );
  });
  return (await Promise.all(plans)).toSorted((left, right) => compareVersions(left.version, right.version));
}
