import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";

/**
 * Makes a file or folder aside, under a name nobody else uses, and renames it into place: others see the old one, the new one
 * or none, never half of it. What is begun is removed when making it fails. Not synced to the disk: after a power cut readers
 * may find an empty file, which they take for none.
 * @param make writes to the path it is given.
 */
export async function placeWhole(path: string, make: (draft: string) => Promise<unknown>): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await make(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Writes a file so that nobody ever reads half of it, see {@link placeWhole}. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await placeWhole(path, (draft) => writeFile(draft, content));
}

/** Writes a value as JSON, see {@link writeWhole}. */
export async function writeKept(path: string, value: unknown): Promise<void> {
  await writeWhole(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/**
 * Reads JSON that was kept for later; undefined when there is none, or none of this form: whoever keeps something can do without.
 * Read at once: of thousands of small files the turns of reading them beside others cost seven times as much as the files.
 */
export function readKept<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
