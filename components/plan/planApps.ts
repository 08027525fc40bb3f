import { type AppSettings, appSettings } from "../config/appSettings";
import type { RunOptions } from "../config/runOptions";
import type { MirrorConfig } from "../config/mirrorConfig";
import { nothingPlanned, type AppPlan, type PlannedVersion } from "../decide/appPlan";
import type { Platform } from "../model/platform";
import type { Published } from "../model/published";
import { planApp } from "./planApp";
import type { PlanEdges } from "./planEdges";
import type { AppSpecification } from "../model/appSpecification";
import { recorded } from "../decide/versionPlan";
import { declaresResources, type PublishedApp, type PublishedVersion } from "../model/published";
import { compareVersions } from "../model/version";
import type { HandedOver } from "../handover/recordFile";
import { repositoryOf } from "../model/reference";

/** Finds the plan of another app of the same run; undefined when the stack does not mirror it. */
export type PlanOf = (app: string) => Promise<AppPlan | undefined>;

/** An app that is being looked at. */
export interface AppSurvey {
  readonly app: string;
  /** Apps of the stack on whose images it is built, by way of others too. */
  readonly bases: readonly string[];
  /** Rejects only with the record of earlier runs. */
  readonly plan: Promise<AppPlan>;
}

/** Every question has a bound of its own, so this is for upstreams that answer many of them just within it. */
const surveyLimitMs = 20 * 60_000;

/**
 * Looks at all apps of the stack at once and plans them. An app that builds on another waits for that one's plan, and for no
 * other; what is not known of an app after its time stays as the last run left it.
 * @param published what earlier runs recorded; upstream is asked while it is still being read.
 * @returns a survey per app, bases before the apps that build on them.
 * @throws Error when apps build on each other in a circle.
 */
export function planApps(
  config: MirrorConfig & { readonly run: Pick<RunOptions, "apps" | "keep"> },
  published: Published | Promise<Published>,
  edgesFor: (planOf: PlanOf) => PlanEdges,
  handedOver: HandedOver,
  limitMs = surveyLimitMs,
): readonly AppSurvey[] {
  const order = basesFirst(config);
  const plans = new Map<string, Promise<AppPlan>>();
  const edges = edgesFor(async (app) => plans.get(app));
  return order.map((app) => {
    const { specification } = config.apps.get(app) ?? missing(app);
    const { keep } = config.run;
    const settings: AppSettings = { ...appSettings(config, specification), ...(keep !== undefined && { keep }) };
    const record = Promise.resolve(published).then((apps) => apps[app]);
    const handed = handedOver[app];
    const repository = repositoryOf(config, app);
    const frozen = async (why: Pick<AppPlan, "problems" | "frozen">) =>
      frozenPlan(specification, repository, settings.platforms, await record, why);
    const plan =
      config.run.apps?.includes(app) === false
        ? frozen({ problems: [], frozen: true })
        : within(
            limitMs,
            planApp(
              { specification, settings, repository, published: record, ...(handed && { handedOver: handed }) },
              edges,
            ),
            () => frozen({ problems: [`${overdue(limitMs)}; it is as the last run left it`] }),
          );
    plans.set(app, plan);
    return { app, bases: basesOf(app, config).filter((base) => config.apps.has(base)), plan };
  });
}

function overdue(limitMs: number): string {
  return `looking at the app took longer than ${limitMs / 60_000} minutes, the most it may take`;
}

async function within<T>(limitMs: number, work: Promise<T>, late: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return (await Promise.race([work, end])) ?? (await late());
  } finally {
    clearTimeout(timer);
  }
}

/** All apps an app is built on, by way of others too. */
function basesOf(name: string, config: MirrorConfig): readonly string[] {
  const entry = config.apps.get(name) ?? config.unmirrored.get(name);
  const own = (entry?.specification.bases ?? []).map(({ app }) => app);
  return [...new Set(own.flatMap((app) => [app, ...basesOf(app, config)]))];
}

function basesFirst(config: MirrorConfig): readonly string[] {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) throw new Error(`apps build on each other in a circle: ${[...path, name].join(" -> ")}`);
    const entry = config.apps.get(name) ?? config.unmirrored.get(name);
    if (!entry || order.includes(name)) return;
    for (const { app } of entry.specification.bases ?? []) visit(app, [...path, name]);
    order.push(name);
  };
  for (const name of config.apps.keys()) visit(name, []);
  // Others were gone through for the sake of what they build on.
  return order.filter((name) => config.apps.has(name));
}

function missing(name: string): never {
  throw new Error(`app ${JSON.stringify(name)} is not part of the stack`);
}

/**
 * The plan of an app this run does not deal with, or could not: what earlier runs declared is declared again as it was, unseen, so that
 * the run neither asks about it nor drops it.
 */
function frozenPlan(
  specification: AppSpecification,
  repository: string,
  platforms: readonly Platform[],
  published: PublishedApp | undefined,
  why: Pick<AppPlan, "problems" | "frozen">,
): AppPlan {
  const record = published?.repository === repository ? published : undefined;
  const versions = Object.entries(record?.versions ?? {}).map(([version, entry]) => frozenVersion(version, entry));
  const tags = Object.entries(record?.floatingTags ?? {});
  return {
    specification,
    repository,
    platforms,
    versions: versions.toSorted((left, right) => compareVersions(left.version, right.version)),
    floatingTags: tags.map(([tag, managed]) => ({ tag, action: "unchanged", candidates: [managed.version], managed })),
    rejected: [],
    ...(record?.official && { official: { platforms: record.official, changes: [] } }),
    notes: [],
    ...why,
  };
}

function frozenVersion(version: string, record: PublishedVersion): PlannedVersion {
  const { tag, digest, platforms, origin, sources, images = {}, baseImages = {}, commit } = record;
  return {
    ...nothingPlanned,
    version,
    tag,
    plan: {
      state: "published",
      build: [],
      keep: images,
      lacking: [],
      present: { digest, platforms },
      origin,
      ...(sources && { sources: sources.map(recorded) }),
    },
    keptBases: baseImages,
    attested: record.attested ?? false,
    ...(record.attested === true && { attestation: { mode: "keep" as const, gaps: [], scans: [] } }),
    ...(record.referrers === true && { referrers: { mode: "keep", gaps: [], digests: [], declared: true } as const }),
    ...(declaresResources(record) && { managed: record }),
    ...(commit !== undefined && { recordedCommit: commit }),
  };
}
