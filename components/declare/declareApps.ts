import type { AppPlan } from "../decide/appPlan";
import { MirroredApp } from "./mirroredApp";
import type { MirroredVersion } from "./mirroredVersion";
import type { VersionServices } from "./versionServices";

/** Finds a version that is declared already. */
export type FindVersion = (app: string, version: string) => MirroredVersion | undefined;

/** Declares the apps of a run, by name, each after those whose images it builds on. */
export function declareApps(
  plans: readonly AppPlan[],
  services: (find: FindVersion) => VersionServices,
): ReadonlyMap<string, MirroredApp> {
  const mirrored = new Map<string, MirroredApp>();
  const shared = services((app, version) => mirrored.get(app)?.versions.get(version));
  for (const plan of plans) {
    const { name } = plan.specification;
    mirrored.set(name, new MirroredApp(name, { plan, services: shared }));
  }
  return mirrored;
}
