import type { z } from "zod";
import type { Digest } from "../../components/model/digest";
import type { RegistryClient } from "../../components/registry/registryClient";
import { RegistryError } from "../../components/registry/registryError";
import type { DigestCache } from "./digestCache";
import { type CataloguePlatform, versionSchema } from "./schema";

const platform = versionSchema.shape.platforms.element;

/** What an image says of itself, without anybody's word about it. */
const schema = platform
  .pick({
    digest: true,
    created: true,
    size: true,
    labels: true,
    entrypoint: true,
    command: true,
    user: true,
    workingDirectory: true,
    environment: true,
    ports: true,
    volumes: true,
    layers: true,
  })
  .strip();

/** See {@link imageFacts}. */
export type ImageFacts = z.output<typeof schema>;

/**
 * Reads an image by its digest, once: what is known by digest never changes.
 * @param repository with its registry. @throws RegistryError when the registry gives no usable answer, or lacks it.
 */
export function imageFacts(
  repository: string,
  digest: Digest,
  { reader, cache }: { readonly reader: Pick<RegistryClient, "manifest" | "imageConfig">; readonly cache: DigestCache },
): Promise<ImageFacts> {
  return cache.of("image-1", [digest], schema, async () => {
    const manifest = await reader.manifest(`${repository}@${digest}`);
    if (manifest?.kind !== "image") {
      throw new RegistryError(
        "malformed",
        `cannot read ${repository}@${digest}: ${manifest ? "it is no image" : "it is gone"}`,
      );
    }
    const { created, history, ...config } = await reader.imageConfig(repository, manifest);
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
    return schema.parse({
      digest,
      ...(created !== undefined && { created }),
      size,
      ...config,
      layers: layersWith(manifest.layers, history),
    });
  });
}

/** The steps of an image, with the layer each made; layers no step tells of come last. */
function layersWith(
  layers: readonly { readonly digest: Digest; readonly size: number }[],
  history: readonly { readonly command?: string; readonly created?: string; readonly empty: boolean }[],
): CataloguePlatform["layers"] {
  const left = [...layers];
  const steps = history.map(({ empty, ...step }) => {
    const layer = empty ? undefined : left.shift();
    return { ...step, ...(layer && { digest: layer.digest, size: layer.size }) };
  });
  return [...steps, ...left.map(({ digest, size }) => ({ digest, size }))];
}
