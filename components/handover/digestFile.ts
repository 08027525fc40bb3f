import { z } from "zod";
import { check, formatValue } from "../config/problems";
import { type Digest, isDigest } from "../model/digest";
import { parsePlatform, type Platform, type PerPlatform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";

const text = z.string().regex(/^[^\x00-\x20\x7f]{1,255}$/, "accepted are 1 to 255 characters without spaces");

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

const schema = z.strictObject({ schemaVersion: z.literal(1, "accepted is 1"), images: z.array(entry) });

/** One image a build run pushed by digest, checked, and hands over to the run that publishes. */
export type HandedOverImage = z.output<typeof entry>;

/** Writes the images of a build run as the text of a digest file. */
export function formatDigestFile(images: readonly HandedOverImage[]): string {
  return `${JSON.stringify({ schemaVersion: 1, images }, undefined, 2)}\n`;
}

/**
 * Reads a digest file. It comes from another machine, so nothing in it is believed beyond its form: repository, digest and
 * architecture are checked against the registry afterwards.
 * @returns its images, or a line for each mistake that names file and field.
 */
export function parseDigestFile(
  name: string,
  content: string,
): { readonly images: readonly HandedOverImage[]; readonly problems: readonly string[] } {
  const file = `digest file ${formatValue(name)}`;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return { images: [], problems: [`${file}: it is no JSON: ${reasonOf(error)}; accepted is what a build run wrote`] };
  }
  const result = check(schema, value, { subject: file });
  return result.success ? { images: result.value.images, problems: [] } : { images: [], problems: result.problems };
}

function isPlatform(value: unknown): boolean {
  try {
    return typeof value === "string" && parsePlatform(value) === value;
  } catch {
    return false;
  }
}

/** Images handed over by build runs: app → version → platform → `name@sha256:…`. */
export type HandedOver = Readonly<Record<string, Readonly<Record<string, PerPlatform<string>>>>>;
