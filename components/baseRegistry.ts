import type { BaseRegistry } from "./bases";
import type { Digest } from "./plan/digest";
import type { Platform } from "./plan/platform";
import type { ImageManifest } from "./registry/manifest";
import type { RegistryClient } from "./registry/registryClient";

/** What base resolution asks, answered by the registry client; each question once per run, as versions share their bases. */
export function baseRegistry(registry: RegistryClient): BaseRegistry {
  const lookups = new Map<string, ReturnType<BaseRegistry["lookUp"]>>();
  return {
    lookUp: (reference) => {
      const known = lookups.get(reference) ?? lookUp(registry, reference);
      lookups.set(reference, known);
      return known;
    },
    layers: async (reference) => (await imageManifest(registry, reference)).layers.map(({ digest }) => digest),
  };
}

async function lookUp(registry: RegistryClient, reference: string): ReturnType<BaseRegistry["lookUp"]> {
  const manifest = await registry.manifest(reference);
  if (!manifest) return undefined;
  if (manifest.kind === "image") {
    const { platform } = await registry.imageConfig(reference.replace(/@.*$/, ""), manifest);
    return {
      kind: "image",
      digest: manifest.digest,
      platforms: { [platform]: manifest.digest } as Record<Platform, Digest>,
    };
  }
  const platforms = manifest.manifests.flatMap(({ platform, digest }) =>
    platform === undefined || platform.startsWith("unknown/") ? [] : [[platform, digest] as const],
  );
  return { kind: "index", digest: manifest.digest, platforms: Object.fromEntries(platforms) };
}

/** @throws Error when the reference is absent or names an index; RegistryError when the registry gives no answer. */
export async function imageManifest(registry: RegistryClient, reference: string): Promise<ImageManifest> {
  const manifest = await registry.manifest(reference);
  if (manifest?.kind === "image") return manifest;
  throw new Error(
    `${JSON.stringify(reference)} is ${manifest ? "an index" : "absent"}; the manifest of one platform is needed`,
  );
}
