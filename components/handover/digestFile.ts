import { z } from "zod";
import { ConfigError } from "../config/configError";
import { type Digest, isDigest } from "../plan/digest";
import { parsePlatform, type Platform } from "../plan/platform";

const text = z.string().min(1).max(255);

const entry = z.strictObject({
  app: text,
  version: text,
  /** Upstream commit the image was built from. */
  commit: z.string().regex(/^[0-9a-f]{40}$/, "accepted are 40 lower-case hex digits"),
  platform: z.custom<Platform>(isPlatform, "accepted is a platform such as linux/arm64"),
  /** `registry/namespace/name` the image was pushed to. */
  repository: text,
  digest: z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits'),
});

const schema = z.strictObject({ schemaVersion: z.literal(1), images: z.array(entry) });

/** One image a build run pushed by digest, checked, and hands over to the run that publishes. */
export type HandedOverImage = z.output<typeof entry>;

/** Writes the images of a build run as the text of a digest file. */
export function formatDigestFile(images: readonly HandedOverImage[]): string {
  return `${JSON.stringify({ schemaVersion: 1, images }, undefined, 2)}\n`;
}

/**
 * Reads a digest file. It comes from another machine, so nothing in it is believed beyond its form: repository, digest and
 * architecture are checked against the registry afterwards.
 * @throws ConfigError naming the file and every field at fault.
 */
export function parseDigestFile(name: string, content: string): readonly HandedOverImage[] {
  const result = schema.safeParse(readJson(name, content));
  if (result.success) return result.data.images;
  throw new ConfigError(
    `digest file ${JSON.stringify(name)}`,
    result.error.issues.map(({ path, message }) => `${path.join(".") || "content"}: ${message}`),
  );
}

function readJson(name: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new ConfigError(`digest file ${JSON.stringify(name)}`, [`it is no JSON: ${(error as Error).message}`]);
  }
}

function isPlatform(value: unknown): boolean {
  try {
    return typeof value === "string" && parsePlatform(value) === value;
  } catch {
    return false;
  }
}
