import type { BenchApp } from "./benchApp";
import type { Workshop } from "./workshop";

const platforms = ["linux/amd64", "linux/arm64"];

/**
 * Reads a namespace back through `regctl`: every version is an index of both platforms, whose manifests exist; the lowest
 * version of each app is fetched whole, with every layer's digest checked.
 * @throws Error that names what is wrong.
 */
export async function checkRegistry(
  workshop: Workshop,
  namespace: string,
  apps: readonly Pick<BenchApp, "name" | "versions">[],
): Promise<void> {
  const registry = workshop.registry(namespace);
  for (const { name, versions } of apps) {
    await Promise.all(
      versions.map(async ({ version }) => {
        const { platforms: found } = await registry.index(name, version);
        const held = Object.keys(found).toSorted();
        if (held.join() !== platforms.join())
          throw new Error(`${registry.name(name, version)} holds ${JSON.stringify(held)}, not ${platforms.join(", ")}`);
        for (const digest of Object.values(found)) await registry.digest(name, digest);
      }),
    );
    if (versions[0]) await registry.pull(name, versions[0].version);
  }
}
