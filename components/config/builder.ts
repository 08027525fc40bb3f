import { z } from "zod";
import { acceptedPlatforms, parsePlatform, type Platform } from "../model/platform";
import { delegate, isRecord, type Schema, text } from "./schemaParts";

/** A buildx builder for everything, or one per platform. */
export type Builder = string | ReadonlyMap<Platform, string>;

// The grammar of buildx itself (store/util.go).
const name = text("a buildx builder's name: a letter, then letters, digits, . _ -", (value) =>
  /^[A-Za-z][A-Za-z0-9._-]{0,127}$/.test(value) ? value : undefined,
);

/** Reads `builder`: a name, or a map from platform to name. */
export const builderSchema: Schema<Builder> = z.unknown().transform((value, context): Builder => {
  if (typeof value === "string") return delegate(name, value, context);
  if (!isRecord(value) || Object.keys(value).length === 0) {
    const message = "accepted is a buildx builder's name, or a map from platform to such a name";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
  const builders = new Map<Platform, string>();
  for (const [key, given] of Object.entries(value)) {
    const builder = delegate(name, given, context, [key]);
    const platform = platformOf(key);
    if (platform !== undefined && !builders.has(platform)) {
      builders.set(platform, builder);
      continue;
    }
    const fault =
      platform === undefined ? `the key must be one of ${acceptedPlatforms.join(", ")}` : `${platform} is there twice`;
    context.addIssue({ code: "custom", message: fault, path: [key] });
  }
  return builders;
});

/**
 * The builder that builds for a platform.
 * @throws Error when a map names none for it; a configuration that was read names one for every platform of its apps.
 */
export function builderFor(builder: Builder, platform: Platform): string {
  const found = typeof builder === "string" ? builder : builder.get(platform);
  if (found === undefined) throw new Error(`no builder is configured for platform ${JSON.stringify(platform)}`);
  return found;
}

function platformOf(key: string): Platform | undefined {
  try {
    return parsePlatform(key);
  } catch {
    return undefined;
  }
}
