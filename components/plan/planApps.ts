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
import { repositoryOf } from "../model/repository";

/** Finds the plan of another app of the same run; undefined when the stack does not mirror it. */
export type PlanOf = (app: string) => Promise<AppPlan | undefined>;

/**
 * Looks at all apps of the stack at once and plans them. An app that builds on another waits for that one's plan, so the
 * order of declaration does not matter.
 * @param published what earlier runs recorded; upstream is asked while it is still being read.
 * @returns one plan per app, bases before the apps that build on them.
 * @throws Error when apps build on each other in a circle, or `published` rejects.
 */
export async function planApps(
  config: MirrorConfig & { readonly run: Pick<RunOptions, "apps"> },
  published: Published | Promise<Published>,
  edgesFor: (planOf: PlanOf) => PlanEdges,
  handedOver: HandedOver,
): Promise<readonly AppPlan[]> {
  const order = basesFirst(config);
  const plans = new Map<string, Promise<AppPlan>>();
  const edges = edgesFor(async (app) => plans.get(app));
  for (const name of order) {
    const { specification } = config.apps.get(name) ?? missing(name);
    const settings: AppSettings = appSettings(config, specification);
    const record = Promise.resolve(published).then((apps) => apps[name]);
    const handed = handedOver[name];
    const repository = repositoryOf(config, name);
    if (config.run.apps?.includes(name) === false) {
      plans.set(
        name,
        record.then((kept) => frozenPlan(specification, repository, settings.platforms, kept)),
      );
      continue;
    }
    plans.set(
      name,
      planApp(
        {
          specification,
          settings,
          repository,
          published: record,
          ...(handed && { handedOver: handed }),
        },
        edges,
      ),
    );
  }
  return Promise.all(order.map((name) => plans.get(name) ?? missing(name)));
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
 * The plan of an app this run does not deal with: what earlier runs declared is declared again as it was, unseen, so that
 * the run neither asks about it nor drops it.
 */
function frozenPlan(
  specification: AppSpecification,
  repository: string,
  platforms: readonly Platform[],
  published: PublishedApp | undefined,
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
    problems: [],
    frozen: true,
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
