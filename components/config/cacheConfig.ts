import { z } from "zod";
import { parseReference } from "../model/reference";
import { delegate, fields, isRecord, type Schema, text } from "./schemaParts";
import { noSuch } from "./noSuch";

/** How much a build writes to the cache: the layers of the result, or of every stage. */
export type CacheMode = "min" | "max";

/** Where build layers are kept between runs. Each app and platform has its own corner of it. */
export type CacheConfig =
  | { readonly type: "off" }
  | { readonly type: "gha"; readonly mode: CacheMode }
  /** A folder of the machine the builds run on. */
  | { readonly type: "local"; readonly directory: string; readonly mode: CacheMode }
  /** A repository of the same registry; without one, `<namespace>/build-cache`. */
  | { readonly type: "registry"; readonly repository?: string; readonly mode: CacheMode };

const mode = text("min or max", (value): CacheMode | undefined =>
  value === "min" || value === "max" ? value : undefined,
);

// BuildKit takes cache settings as comma-separated attributes, so the path must not be able to add one.
const directory = text(
  "a folder: an absolute path, or one below the project without ..; no commas, quotes, backslashes or control characters",
  (value) => (/^[^\x00-\x1f\x7f-\x9f,"'`\\]+$/.test(value) && !value.split("/").includes("..") ? value : undefined),
);

const repository = text("a repository path in the same registry, such as owner/build-cache", (value) =>
  parseReference(`localhost/${value}`).repository === value ? value : undefined,
);

const type = (name: string) => text(name, (value) => (value === name ? value : undefined));

const variants = {
  off: fields("no cache", { type: type("off") }),
  gha: fields("the cache of GitHub Actions", { type: type("gha"), mode: mode.optional() }),
  local: fields("a local cache", { type: type("local"), directory, mode: mode.optional() }),
  registry: fields("a registry cache", {
    type: type("registry"),
    repository: repository.optional(),
    mode: mode.optional(),
  }),
};
const types = Object.keys(variants);

/** Reads `cache`: a map with a `type`, or the type alone where it needs nothing else. */
export const cacheSchema: Schema<CacheConfig> = z.unknown().transform((value, context): CacheConfig => {
  const given = typeof value === "string" ? { type: value } : value;
  if (!isRecord(given)) {
    context.addIssue({ code: "custom", message: `accepted is a map with a type: ${types.join(", ")}` });
    return z.NEVER;
  }
  const { type: name } = given;
  if (typeof name !== "string" || !Object.hasOwn(variants, name)) {
    context.addIssue({
      code: "custom",
      message: noSuch("cache type", String(name), types),
      path: typeof value === "string" ? [] : ["type"],
    });
    return z.NEVER;
  }
  const parsed = delegate(variants[name as keyof typeof variants] as Schema<Record<string, unknown>>, given, context);
  return (name === "off" ? parsed : { mode: "max", ...parsed }) as CacheConfig;
});
