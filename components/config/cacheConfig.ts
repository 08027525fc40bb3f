import { z } from "zod";
import { parseReference } from "../model/reference";
import { text } from "./schemaParts";

/** How much a build writes to the cache: the layers of the result, or of every stage. */
const mode = z.enum(["min", "max"]).default("max");

// BuildKit takes cache settings as comma-separated attributes, so the path must not be able to add one.
const directory = text(
  "a folder: an absolute path, or one below the project without ..; no commas, quotes, backslashes or control characters",
  (value) => /^[^\x00-\x1f\x7f-\x9f,"'`\\]+$/.test(value) && !value.split("/").includes(".."),
);

const repository = text(
  "a repository path in the same registry, such as owner/build-cache",
  (value) => parseReference(`localhost/${value}`).repository === value,
);

const settings = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("off") }),
  z.strictObject({ type: z.literal("gha"), mode }),
  /** A folder of the machine the builds run on. */
  z.strictObject({ type: z.literal("local"), directory, mode }),
  /** A repository of the same registry; without one, `<namespace>/build-cache`. */
  z.strictObject({ type: z.literal("registry"), repository: repository.exactOptional(), mode }),
]);

/** Reads `cache`: a map with a `type`, or the type alone where it needs nothing else. */
export const cacheSchema = z.union(
  [z.enum(["off", "gha", "registry"]).transform((type) => settings.parse({ type })), settings],
  "accepted is off, gha, registry, or a map with a type: off, gha, local, registry",
);

/** Where build layers are kept between runs. Each app and platform has its own corner of it. */
export type CacheConfig = z.output<typeof cacheSchema>;
