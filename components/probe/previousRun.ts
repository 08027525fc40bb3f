import { z } from "zod";
import { ConfigError, problemLine } from "../config/problems";
import type { Phase } from "../config/runOptions";
import { type Digest, isDigest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import { declaresResources, type Published, type PublishedApp, type PublishedVersion } from "../model/published";
import { resourceNames } from "../model/resourceNames";
import type { StackState } from "./stackState";

const digest = z.custom<Digest>(isDigest);
const platform = z.custom<Platform>((value) => typeof value === "string" && value.includes("/"));
const digests = z.record(platform, digest);

const version = z.object({
  tag: z.string(),
  digest,
  platforms: digests,
  origin: z.enum(["built", "completed", "copied", "adopted"]),
  commit: z.string().exactOptional(),
  sources: z.array(z.string()).exactOptional(),
  images: digests.exactOptional(),
  attested: z.boolean().exactOptional(),
  referrers: z.boolean().exactOptional(),
  absent: z.literal(true).exactOptional(),
  baseImages: z.record(z.string(), digests).exactOptional(),
});

const published = z.record(
  z.string(),
  z.object({
    repository: z.string(),
    versions: z.record(z.string(), version),
    floatingTags: z.record(z.string(), z.object({ version: z.string(), digest, source: z.string() })),
    official: z.record(z.string(), z.array(platform)).exactOptional(),
  }),
);

/** What reading the record needs besides the stack's outputs. */
export interface RecordContext {
  /** Of this run. A build phase declares nothing but what it builds, so that anything else would leave the state. */
  readonly phase: Phase;
  /** The stack's name. */
  readonly stack: string;
  /** Asked only when the record names resources. */
  readonly state: () => Promise<StackState>;
  /** Tells an operator. */
  readonly warn: (text: string) => Promise<void>;
}

/**
 * Reads what the last run of this very stack recorded in its output `published`; empty on a first run.
 * The registry is the truth, so a record that does not parse is reported and dropped: what exists is then adopted. So is what
 * the record names and the state lacks, see {@link stillInState}.
 * @throws ConfigError for a build phase on a state that keeps what was published.
 */
export async function previousRun(
  { published: value }: Readonly<Record<string, unknown>>,
  { phase, stack, state, warn }: RecordContext,
): Promise<Published> {
  if (value === undefined || value === null) return {};
  const parsed = published.safeParse(value);
  if (parsed.success) {
    const record = parsed.data;
    if (!managesAnything(record)) return record;
    if (phase !== "build") return stillInState(record, await state());
    const why = `the state of stack ${JSON.stringify(stack)} keeps published versions, which this phase would take out of it; give it a state of its own, as "npm run reconcile" does`;
    throw new ConfigError("environment", [problemLine("", ["MIRROR_PHASE"], phase, why)]);
  }
  await warn(`the record of the last run does not parse and is not used: ${z.prettifyError(parsed.error)}`);
  return {};
}

/** Whether a record names resources of the stack. */
function managesAnything(record: Published): boolean {
  return Object.values(record).some(
    ({ versions, floatingTags }) =>
      Object.keys(floatingTags).length > 0 || Object.values(versions).some(declaresResources),
  );
}

/**
 * The record without the resources that are not in the state, whoever took them out. Declared as one that is published, an image
 * the state lacks would be built from nowhere; left out of the record, its version is adopted.
 */
function stillInState(record: Published, state: StackState): Published {
  const apps = Object.entries(record).map(
    ([app, { repository, versions, floatingTags, official }]): [string, PublishedApp] => {
      const kept = Object.entries(versions).map(([name, entry]) => [name, versionInState(app, name, entry, state)]);
      const tags = Object.entries(floatingTags).filter(([tag]) =>
        state.indexes.has(resourceNames.floatingTag(app, tag)),
      );
      return [
        app,
        {
          repository,
          versions: Object.fromEntries(kept) as PublishedApp["versions"],
          floatingTags: Object.fromEntries(tags),
          ...(official && { official }),
        },
      ];
    },
  );
  return Object.fromEntries(apps);
}

function versionInState(app: string, name: string, entry: PublishedVersion, state: StackState): PublishedVersion {
  const { sources, images, baseImages, attested, referrers, origin, ...seen } = entry;
  const resource = resourceNames.version(app, name);
  const own = inState(images, (platform) => resourceNames.image(app, name, platform), state);
  const bases = Object.entries(baseImages ?? {}).map(
    ([base, all]) =>
      [base, inState(all, (platform) => resourceNames.baseImage(app, name, base, platform), state)] as const,
  );
  const indexed = sources !== undefined && state.indexes.has(resource);
  const attestation = `${resource}-attestation`;
  const record = attested && state.commands.get(attestation);
  const isManaged = indexed || Object.keys(own).length > 0;
  return {
    ...seen,
    origin: isManaged ? origin : "adopted",
    ...(indexed && { sources }),
    ...(images && isManaged && { images: own }),
    ...(baseImages && { baseImages: Object.fromEntries(bases) }),
    ...(attested && state.commands.has(attestation) && { attested }),
    ...(record && { record }),
    ...(referrers && state.commands.has(`${resource}-referrers`) && { referrers }),
  };
}

function inState(
  images: PerPlatform<Digest> | undefined,
  nameOf: (platform: Platform) => string,
  state: StackState,
): PerPlatform<Digest> {
  return Object.fromEntries(platformEntries(images).filter(([platform]) => state.images.has(nameOf(platform))));
}
