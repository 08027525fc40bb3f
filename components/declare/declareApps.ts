import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import type { AppPlan } from "../decide/appPlan";
import { MirroredApp } from "./mirroredApp";
import type { MirroredVersion } from "./mirroredVersion";
import type { VersionServices } from "./versionServices";

/**
 * What holds for every resource of this stack, whoever declares it; called once, before the first is declared.
 *
 * None is ever deleted for real: the provider's delete would remove the manifest from the registry. The engine reads that option
 * from the state, so it has to be there from a resource's creation; nothing else in the program sets it.
 *
 * All images and indexes are under one provider that stays what it is in the state, whatever version of the library is installed.
 * To this provider's schema a new version is a change of configuration that replaces the provider and with it all resources of the
 * stack: each published image would be built again. A stack without state begins with the installed version.
 */
export function everyResource(): void {
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({ props, opts: { ...opts, retainOnDelete: true } }));
  const provider = new dockerBuild.Provider("docker-build", {}, { ignoreChanges: ["version"] });
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) =>
    type.startsWith("docker-build:") ? { props, opts: { ...opts, provider } } : undefined,
  );
}

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
