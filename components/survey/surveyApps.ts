import { type AppSettings, appSettings } from "../config/appSettings";
import type { RunOptions } from "../config/runOptions";
import type { MirrorConfig } from "../config/mirrorConfig";
import type { AppPlan } from "../plan/appPlan";
import type { Platform } from "../plan/platform";
import type { Published } from "../plan/published";
import { frozenPlan } from "./frozenPlan";
import { surveyApp } from "./surveyApp";
import type { SurveyEdges } from "./surveyEdges";

/** Images handed over by build runs: app → version → platform → `name@sha256:…`. */
export type HandedOver = Readonly<Record<string, Readonly<Record<string, Readonly<Record<Platform, string>>>>>>;

/** Finds the plan of another app of the same run; undefined when the stack does not mirror it. */
export type PlanOf = (app: string) => Promise<AppPlan | undefined>;

/**
 * Looks at all apps of the stack at once and plans them. An app that builds on another waits for that one's plan, so the
 * order of declaration does not matter.
 * @param published what earlier runs recorded; upstream is asked while it is still being read.
 * @returns one plan per app, bases before the apps that build on them.
 * @throws Error when apps build on each other in a circle, or `published` rejects.
 */
export async function surveyApps(
  config: MirrorConfig & { readonly run: Pick<RunOptions, "apps"> },
  published: Published | Promise<Published>,
  edgesFor: (planOf: PlanOf) => SurveyEdges,
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
    const repository = `${config.registry}/${config.namespace}/${name}`;
    if (config.run.apps?.includes(name) === false) {
      plans.set(
        name,
        record.then((kept) => frozenPlan(specification, repository, settings.platforms, kept)),
      );
      continue;
    }
    plans.set(
      name,
      surveyApp(
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
