import { z } from "zod";
import type { AppSpecification } from "../model/appSpecification";
import { parseReference } from "../model/reference";
import { appSettings, immutableTags } from "./appSettings";
import { appNameSchema, appsSchema, platformsSchema, type SelectedApps } from "./appsSchema";
import { attestConfigSchema } from "./attestConfig";
import { boolean, durationSchema, isRecord, keepSchema, uniqueList, text } from "./schemaParts";
import { parsePlatform, type Platform, platformSpellings } from "../model/platform";

/** How much a build writes to the cache: the layers of the result, or of every stage. */
const cacheMode = z.enum(["min", "max"]).default("max");

// BuildKit takes cache settings as comma-separated attributes, so the path must not be able to add one.
const cacheDirectory = text(
  "a folder: an absolute path, or one below the project without ..; no commas, quotes, backslashes or control characters",
  (value) => /^[^\x00-\x1f\x7f-\x9f,"'`\\]+$/.test(value) && !value.split("/").includes(".."),
);

const cacheRepository = text(
  "a repository path in the same registry, such as owner/build-cache",
  (value) => parseReference(`localhost/${value}`).repository === value,
);

const cacheSettings = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("off") }),
  z.strictObject({ type: z.literal("gha"), mode: cacheMode }),
  /** A folder of the machine the builds run on. */
  z.strictObject({ type: z.literal("local"), directory: cacheDirectory, mode: cacheMode }),
  /** Beginning of the repositories of the same registry, one per app; without one, `<namespace>/build-cache`. */
  z.strictObject({ type: z.literal("registry"), repository: cacheRepository.exactOptional(), mode: cacheMode }),
]);

/** Reads `cache`: a map with a `type`, or the type alone where it needs nothing else. */
const cacheSchema = z.union(
  [z.enum(["off", "gha", "registry"]).transform((type) => cacheSettings.parse({ type })), cacheSettings],
  "accepted is off, gha, registry, or a map with a type: off, gha, local, registry",
);

/**
 * The keys of the stack configuration, each with what it takes, its default and its description. Pulumi.yaml declares the
 * same defaults and descriptions.
 */
export function stackKeys(apps: readonly AppSpecification[]) {
  return z.strictObject({
    /** Host with optional port: `ghcr.io`, `localhost:5000`. */
    registry: text(
      "a registry host with an optional port, without scheme or path, such as ghcr.io or localhost:5000; docker.io for Docker Hub",
      // Its other names are read as docker.io, or credentials are not found under them by all programs.
      (value) => parseReference(`${value}/a/b`).registry === value && value !== "registry-1.docker.io",
    )
      .prefault("ghcr.io")
      .describe("Registry to publish to: a host with an optional port, without scheme or path."),
    namespace: text(
      "a repository path in lower case: parts of a-z 0-9, joined by . _ __ or dashes, between slashes",
      (value) => value.length <= 128 && parseReference(`localhost/${value}/a`).repository === `${value}/a`,
    ).describe(
      "Path within the registry under which every app has its repository, in lower case; there is no default.",
    ),
    /** In normal form, in the order written. */
    platforms: platformsSchema
      .prefault(["linux/amd64", "linux/arm64"])
      .describe("Platforms of every app that does not name its own."),
    keep: keepSchema
      .prefault(10)
      .describe(
        "How many of the highest versions are kept complete: an integer, or a map of latest, perMinor and minors.",
      ),
    apps: appsSchema(apps)
      .prefault("all")
      .describe('Which apps are mirrored: "all", a list of names, or a map from name to settings that differ for it.'),
    builder: builderSchema
      .prefault("multiarch-mirror")
      .describe("Which buildx builder builds: its name, or a map from platform to name."),
    /** In seconds. */
    buildLimit: durationSchema
      .prefault("4h")
      .describe(
        'How long the build of one image may take: "90m", "4h". One that takes longer is ended, and has failed.',
      ),
    cache: cacheSchema
      .prefault("off")
      .describe(
        'Where build layers are kept between runs: "off", "gha", "registry", or a map with a type and its settings.',
      ),
    newPackages: uniqueList("a list of app names", appNameSchema(apps), { mayBeEmpty: true })
      .prefault([])
      .describe("Apps that have no package yet in a registry that answers 403 for such; take the name out afterwards."),
    immutableTags: z
      .enum(immutableTags)
      .prefault("none")
      .describe(
        "Which tags the registry lets nobody write again: none, all, or versions (all but latest). What has such a tag is left as it is.",
      ),
    floatingTags: boolean.prefault(true).describe("Whether latest and the other moving tags are written."),
    attest: attestConfigSchema
      .prefault("keyless")
      .describe(
        'Whether and how images are signed and attested: "keyless", "off", or a map of signing, sbom, provenance and adopted.',
      ),
  });
}

type StackKeys = z.output<ReturnType<typeof stackKeys>>;

/** The stack configuration, checked. Everything in it may be used in a reference or a resource input as it is. */
export type MirrorConfig = Readonly<Omit<StackKeys, "apps">> & SelectedApps;

/** Reads the whole stack configuration. */
export function mirrorConfigSchema(apps: readonly AppSpecification[]): z.ZodType<MirrorConfig> {
  return stackKeys(apps)
    .superRefine(contradictions, { when: ({ value }) => isRecord(value) })
    .transform(({ apps: selected, ...others }) => ({ ...others, ...selected }));
}

/** Mistakes that only show when several keys, each right by itself, are looked at together. */
function contradictions(config: StackKeys, context: z.RefinementCtx<StackKeys>): void {
  const wrong = new Set(context.issues.map(({ path }) => path?.[0]));
  const right = (...keys: readonly (keyof StackKeys)[]) => !keys.some((key) => wrong.has(key));
  const refuse = (key: keyof StackKeys, message: string) => context.addIssue({ code: "custom", path: [key], message });

  const { registry, namespace, builder, apps, platforms } = config;
  if (right("registry", "namespace") && registry === "docker.io" && namespace.includes("/"))
    refuse("namespace", "Docker Hub accepts a single part, without slashes");
  if (!right("builder", "apps", "platforms") || typeof builder === "string") return;
  const unimportant = { keep: 1, buildLimit: 1, floatingTags: false, immutableTags: "none" } as const;
  const general = { ...apps, platforms, ...unimportant };
  const wanted = [...apps.apps.values()].flatMap(({ specification }) => appSettings(general, specification).platforms);
  const lacking = [...new Set(wanted)].filter((platform) => !builder.has(platform));
  if (lacking.length > 0)
    refuse(
      "builder",
      `no builder is named for ${lacking.join(", ")}; add ${lacking.length === 1 ? "it" : "them"} to the map`,
    );
}

/** A buildx builder for everything, or one per platform. */
export type Builder = string | ReadonlyMap<Platform, string>;

// The grammar of buildx itself (store/util.go).
const acceptedBuilder = "accepted is a buildx builder's name: a letter, then letters, digits, . _ -";
const builderName = z
  .string(acceptedBuilder)
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,127}$/, acceptedBuilder)
  .meta({ id: "builder" });

const builderPerPlatform = z
  .partialRecord(z.enum(platformSpellings), builderName)
  .transform((given, context) => {
    const builders = new Map<Platform, string>();
    for (const [key, builder = ""] of Object.entries(given)) {
      const platform = parsePlatform(key);
      if (builders.has(platform))
        context.addIssue({ code: "custom", message: `${platform} is given twice`, path: [key] });
      builders.set(platform, builder);
    }
    return builders;
  })
  .refine((builders) => builders.size > 0, "accepted is a map with a builder for every platform in use");

/** Reads `builder`: a name, or a map from platform to name. */
const builderSchema: z.ZodType<Builder> = z.union(
  [builderName, builderPerPlatform],
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
