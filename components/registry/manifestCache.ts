import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, hexOf } from "../model/digest";
import { writeWhole } from "../system/placeWhole";
import { type Manifest, parseManifest } from "./manifest";

/** Docker Hub counts every GET of a manifest as a pull and no HEAD. Source: Docker Hub's documentation, "Pull usage and limits". */
export function countsReads(registry: string): boolean {
  return registry === "docker.io";
}

/** Manifests that were read, by digest, which never change: a registry that counts its reads is only asked whether they are there. */
export class ManifestCache {
  readonly #folder: string;

  constructor(cacheDirectory: string) {
    this.#folder = join(cacheDirectory, "manifests");
  }

  /** Undefined for one that is not kept, or no longer as it was. */
  async get(digest: Digest): Promise<Manifest | undefined> {
    try {
      const bytes = await readFile(this.#file(digest));
      return parseManifest(digest, bytes, { contentType: undefined, contentDigest: undefined, expected: digest });
    } catch {
      return undefined;
    }
  }

  /** A full or read-only disk costs requests, nothing else. */
  async put({ digest, bytes }: Manifest): Promise<void> {
    await writeWhole(this.#file(digest), bytes).catch(() => undefined);
  }

  #file(digest: Digest): string {
    return join(this.#folder, `${hexOf(digest)}.json`);
  }
}
