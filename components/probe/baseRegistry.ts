import type { ImageManifest } from "../registry/manifest";
import type { RegistryClient } from "../registry/registryClient";
import { type BaseManifest } from "../decide/baseImages";
import type { Digest } from "../model/digest";

type ManifestReader = Pick<RegistryClient, "manifest" | "imageConfig">;

/** What base resolution asks, answered by the registry client; each question once per run, as versions share their bases. */
export function baseRegistry(registry: ManifestReader): BaseRegistry {
  const lookups = new Map<string, ReturnType<BaseRegistry["lookUp"]>>();
  return {
    lookUp: (reference) => {
      const known = lookups.get(reference);
      if (known) return known;
      const answer = lookUp(registry, reference);
      lookups.set(reference, answer);
      // Trouble is not an answer: the next version asks again.
      answer.catch(() => lookups.delete(reference));
      return answer;
    },
    layers: async (reference) => (await imageManifest(registry, reference)).layers.map(({ digest }) => digest),
  };
}

async function lookUp(registry: ManifestReader, reference: string): ReturnType<BaseRegistry["lookUp"]> {
  const manifest = await registry.manifest(reference);
  if (!manifest) return undefined;
  if (manifest.kind === "image") {
    const { platform } = await registry.imageConfig(reference.replace(/@.*$/, ""), manifest);
    return {
      kind: "image",
      digest: manifest.digest,
      platforms: { [platform]: manifest.digest },
    };
  }
  const platforms = manifest.manifests.flatMap(({ platform, digest }) =>
    platform === undefined || platform.startsWith("unknown/") ? [] : [[platform, digest] as const],
  );
  // Of two manifests for one platform BuildKit takes the first.
  return { kind: "index", digest: manifest.digest, platforms: Object.fromEntries(platforms.toReversed()) };
}

/** @throws Error when the reference is absent or names an index; RegistryError when the registry gives no answer. */
export async function imageManifest(registry: ManifestReader, reference: string): Promise<ImageManifest> {
  const manifest = await registry.manifest(reference);
  if (manifest?.kind === "image") return manifest;
  throw new Error(
    `${JSON.stringify(reference)} is ${manifest ? "an index" : "absent"}; the manifest of one platform is needed`,
  );
}

/** What base resolution needs of registries: read-only. Every method rejects when there is no clear answer. */
export interface BaseRegistry {
  /** Undefined only when the registry says that there is no such manifest. Attestations are not listed as platforms. */
  lookUp(reference: string): Promise<BaseManifest | undefined>;
  /** Layers of a platform's manifest, lowest first. */
  layers(reference: string): Promise<readonly Digest[]>;
}
