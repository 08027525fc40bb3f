import { BenchApp, versionNumbers } from "./benchApp";
import type { BenchStack, StackSettings } from "./benchStack";
import type { Workshop } from "./workshop";

/** The three apps of most benchmarks, and the copy of the program that mirrors them. */
export interface ThreeApps {
  readonly apps: readonly BenchApp[];
  readonly program: string;
  /** Versions of each app. */
  readonly count: number;
}

/** Three apps of ten versions (in a quick run of two), each image with some work to build it. */
export async function threeApps(
  workshop: Workshop,
  prefix: string,
  { quick, seconds }: { readonly quick: boolean; readonly seconds: number },
): Promise<ThreeApps> {
  const count = quick ? 2 : 10;
  const names = ["one", "two", "three"].map((name) => `${prefix}${name}`);
  const versions = versionNumbers(count);
  const apps = await Promise.all(names.map((name) => BenchApp.create(workshop, { name, versions, seconds })));
  return { apps, program: workshop.program(appFiles(workshop, apps)), count };
}

/** Texts of the files in `apps/`, by export name. */
export function appFiles(workshop: Workshop, apps: readonly BenchApp[]): Readonly<Record<string, string>> {
  return Object.fromEntries(apps.map((app) => [app.name, app.file(workshop)]));
}

/** A stack without state that mirrors them into a namespace. */
export function stackOf(
  workshop: Workshop,
  { program, count }: ThreeApps,
  namespace: string,
  settings: StackSettings = {},
): Promise<BenchStack> {
  return workshop.stack(program, { namespace, keep: count, ...settings });
}
