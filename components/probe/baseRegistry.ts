import type { ImageManifest } from "../registry/manifest";
import type { RegistryClient } from "../registry/registryClient";
import { type BaseManifest } from "../decide/baseImages";
import type { Digest } from "../model/digest";
import { RegistryError } from "../registry/registryError";

type ManifestReader = Pick<RegistryClient, "manifest">;
type BaseReader = Pick<RegistryClient, "probe" | "manifest">;

/** What base resolution asks, answered by the registry client; each question once per run, as versions share their bases. */
export function baseRegistry(registry: BaseReader): BaseRegistry {
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

async function lookUp(registry: BaseReader, reference: string): ReturnType<BaseRegistry["lookUp"]> {
  const probe = await registry.probe(reference, { skipChildren: true });
  switch (probe.state) {
    case "absent":
      return undefined;
    case "unknown":
      throw new RegistryError(probe.cause, probe.reason);
    case "present": {
      // Builders go into an index inside the index.
      const platforms = { ...probe.misdescribed, ...probe.platforms };
      const kind = Object.values(platforms).includes(probe.digest) ? "image" : "index";
      return { kind, digest: probe.digest, platforms };
    }
    default:
      return probe satisfies never;
  }
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
