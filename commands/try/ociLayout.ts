import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RegistryReader } from "../../components/check/imageReader";
import { type Digest, hexOf, isDigest } from "../../components/model/digest";
import { parseImageConfiguration } from "../../components/registry/imageConfiguration";
import { type ImageManifest, parseManifest } from "../../components/registry/manifest";

const index = z.object({
  manifests: z.array(z.object({ mediaType: z.string(), digest: z.string().refine(isDigest) })).length(1),
});

/** One image in a folder as the OCI image layout specification has it, which is how buildx leaves what it does not push. */
export class OciLayout implements RegistryReader {
  private constructor(
    readonly folder: string,
    readonly image: ImageManifest,
  ) {}

  /** @throws Error when the folder does not hold just one image. */
  static async open(folder: string): Promise<OciLayout> {
    const { manifests } = index.parse(JSON.parse(await readFile(join(folder, "index.json"), "utf8")));
    const [named] = manifests;
    const digest = named?.digest as Digest;
    const body = await readFile(blobPath(folder, digest));
    const manifest = parseManifest(folder, body, {
      contentType: named?.mediaType,
      contentDigest: undefined,
      expected: digest,
    });
    if (manifest.kind !== "image") throw new Error(`${folder} holds an index, not the image of one platform`);
    return new OciLayout(folder, manifest);
  }

  async manifest(): Promise<ImageManifest> {
    return this.image;
  }

  async imageConfig(_: string, { config }: ImageManifest): ReturnType<RegistryReader["imageConfig"]> {
    return parseImageConfiguration(this.folder, await readFile(blobPath(this.folder, config.digest)));
  }

  async blob(_: string, digest: Digest): ReturnType<RegistryReader["blob"]> {
    return createReadStream(blobPath(this.folder, digest));
  }

  /** Bytes of all layers, as stored. */
  async size(): Promise<number> {
    const sizes = this.image.layers.map(async ({ digest }) => (await stat(blobPath(this.folder, digest))).size);
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }
}

function blobPath(folder: string, digest: Digest): string {
  return join(folder, "blobs", "sha256", hexOf(digest));
}
