import { readFile, writeFile } from "node:fs/promises";
import { archive, digest, layerOf, type Layer } from "../upstream/layer";

/** What an engine of this machine runs, by Docker's name. */
export const engineArchitecture = process.arch === "arm64" ? "arm64" : "amd64";

/** An image for this machine. */
export interface EngineImage {
  readonly layers: readonly Layer[];
  /** As Docker's image configuration has it. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Writes an image for `docker load`. */
export async function writeEngineImage(file: string, reference: string, image: EngineImage): Promise<void> {
  const { layers } = image;
  const config = Buffer.from(
    JSON.stringify({
      architecture: engineArchitecture,
      os: "linux",
      config: image.config,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const manifest = [
    {
      Config: `${digest(config).slice("sha256:".length)}.json`,
      RepoTags: [reference],
      Layers: layers.map((_, index) => `${index}.tar.gz`),
    },
  ];
  await writeFile(
    file,
    await archive([
      { name: manifest[0]?.Config ?? "", body: config },
      ...layers.map(({ bytes }, index) => ({ name: `${index}.tar.gz`, body: bytes })),
      { name: "manifest.json", body: JSON.stringify(manifest) },
    ]),
  );
}

/** Writes an image that holds one static program, which it starts. @param at its path in the image. */
export async function writeProgramImage(file: string, reference: string, program: string, at: string): Promise<void> {
  const layer = await layerOf([{ name: at.slice(1), mode: 0o755, body: await readFile(program) }]);
  await writeEngineImage(file, reference, { layers: [layer], config: { Entrypoint: [at] } });
}
