import { z } from "zod";
import { parsePlatform, type Platform, platformSpellings } from "../model/platform";

/** A buildx builder for everything, or one per platform. */
export type Builder = string | ReadonlyMap<Platform, string>;

// The grammar of buildx itself (store/util.go).
const accepted = "accepted is a buildx builder's name: a letter, then letters, digits, . _ -";
const name = z
  .string(accepted)
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,127}$/, accepted)
  .meta({ id: "builder" });

const perPlatform = z
  .partialRecord(z.enum(platformSpellings), name)
  .transform((given, context) => {
    const builders = new Map<Platform, string>();
    for (const [key, builder = ""] of Object.entries(given)) {
      const platform = parsePlatform(key);
      if (builders.has(platform))
        context.addIssue({ code: "custom", message: `${platform} is there twice`, path: [key] });
      builders.set(platform, builder);
    }
    return builders;
  })
  .refine((builders) => builders.size > 0, "accepted is a map with a builder for every platform in use");

/** Reads `builder`: a name, or a map from platform to name. */
export const builderSchema: z.ZodType<Builder> = z.union(
  [name, perPlatform],
  "accepted is a buildx builder's name, or a map from platform to such a name",
);

/**
 * The builder that builds for a platform.
 * @throws Error when a map names none for it; a configuration that was read names one for every platform of its apps.
 */
export function builderFor(builder: Builder, platform: Platform): string {
  const found = typeof builder === "string" ? builder : builder.get(platform);
  if (found === undefined) throw new Error(`no builder is configured for platform ${JSON.stringify(platform)}`);
  return found;
}
