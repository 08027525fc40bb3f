import type { AppPlan } from "../decide/appPlan";
import { MirroredApp } from "./mirroredApp";
import type { MirroredVersion } from "./mirroredVersion";
import type { VersionServices } from "./versionServices";

/** Finds a version that is declared already. */
export type FindVersion = (app: string, version: string) => MirroredVersion | undefined;

/** An app to be declared when its plan is made. */
export interface AppToDeclare {
  readonly app: string;
  /** Apps that have to be declared before, because it is built on their images. */
  readonly bases: readonly string[];
  readonly plan: Promise<AppPlan>;
}

/** Declares the apps of a run, each as soon as it is planned and those are declared whose images it builds on. Rejects with a plan. */
export async function declareApps(
  apps: readonly AppToDeclare[],
  services: (find: FindVersion) => VersionServices,
): Promise<ReadonlyMap<string, MirroredApp>> {
  const mirrored = new Map<string, MirroredApp>();
  const shared = services((app, version) => mirrored.get(app)?.versions.get(version));
  const declared = new Map<string, Promise<MirroredApp>>();
  const declare = async ({ app, bases, plan }: AppToDeclare): Promise<MirroredApp> => {
    await Promise.all(bases.flatMap((base) => declared.get(base) ?? []));
    const made = new MirroredApp(app, { plan: await plan, services: shared });
    mirrored.set(app, made);
    return made;
  };
  for (const app of apps) declared.set(app.app, declare(app));
  return new Map(await Promise.all([...declared].map(async ([app, made]) => [app, await made] as const)));
}
