import { createHash } from "node:crypto";
import { join } from "node:path";
import type { z } from "zod";
import { readKept, writeWhole } from "../../components/system/placeWhole";

/**
 * What was worked out once about content that has a digest, and so never changes: one JSON file each, below a folder. One that is missing, damaged or of an older form is worked out again.
 */
export class DigestCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param kind which fact; its number goes up when its form changes. @param about everything the fact depends on. */
  async of<T>(kind: string, about: readonly string[], schema: z.ZodType<T>, make: () => Promise<T>): Promise<T> {
    const found = await this.read(kind, about, schema);
    if (found !== undefined) return found;
    const made = await make();
    await this.write(kind, about, made);
    return made;
  }

  async read<T>(kind: string, about: readonly string[], schema: z.ZodType<T>): Promise<T | undefined> {
    return readKept(this.file(kind, about), schema);
  }

  async write(kind: string, about: readonly string[], value: unknown): Promise<void> {
    await writeWhole(this.file(kind, about), JSON.stringify(value));
  }

  /** Where a fact is kept. */
  file(kind: string, about: readonly string[]): string {
    const name = createHash("sha256").update(JSON.stringify(about)).digest("hex");
    return join(this.#folder, kind, name.slice(0, 2), `${name}.json`);
  }
}
