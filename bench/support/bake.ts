import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchApp, UpstreamVersion } from "./benchApp";
import type { TimedCommand } from "./timedCommand";
import type { Workshop } from "./workshop";

/** A version of an app. */
export interface BakeTarget {
  readonly app: BenchApp;
  readonly version: UpstreamVersion;
}

/**
 * `docker buildx bake` on the same BuildKit: a target per version, of the same contexts and platforms, with the same
 * labels left out, pushed as one index with its tag.
 */
export async function bake(
  workshop: Workshop,
  namespace: string,
  targets: readonly BakeTarget[],
): Promise<TimedCommand> {
  const file = join(workshop.folder, `${namespace}.json`);
  const entries = targets.map(({ app, version: { version, tag, commit } }) => [
    `${app.name}-${version.replaceAll(".", "-")}`,
    {
      context: `${app.url}?tag=${tag}&checksum=${commit}`,
      platforms: ["linux/amd64", "linux/arm64"],
      tags: [`${workshop.registry(namespace).name(app.name)}:${version}`],
      output: ["type=image,push=true,oci-mediatypes=true"],
      attest: [],
    },
  ]);
  const group = { default: { targets: entries.map(([name]) => name) } };
  writeFileSync(file, JSON.stringify({ group, target: Object.fromEntries(entries) as object }));
  return workshop.run(["buildx", "bake", "--builder", "mirror", "--file", file, "--progress", "quiet"], {
    processor: true,
  });
}

/** All versions of some apps. */
export function allTargets(apps: readonly BenchApp[]): readonly BakeTarget[] {
  return apps.flatMap((app) => app.versions.map((version) => ({ app, version })));
}
