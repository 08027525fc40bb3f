import type { Digest } from "../model/digest";
import type { DockerfileImages, ImageReference } from "../dockerfile/images";
import { DockerfileError } from "../dockerfile/dockerfileError";
import type { Platform, PerPlatform } from "../model/platform";
import { type Reference, familiarName, formatReference, parseReference } from "../model/reference";

/** What a registry has under a base's reference. */
export interface BaseManifest {
  readonly kind: "index" | "image";
  readonly digest: Digest;
  /** Digest per platform; an `image` has one, its own. */
  readonly platforms: PerPlatform<Digest>;
}

/** One image from outside that a Dockerfile needs, for all platforms together. */
export interface BaseNeed {
  /** Name of the Dockerfile, for messages. */
  readonly path: string;
  /** As the Dockerfile writes it, expanded. */
  readonly written: string;
  /** The name BuildKit compares with the keys of named contexts. */
  readonly key: string;
  readonly name: Reference;
  /** First line that names it. */
  readonly line: number;
  /** Platforms it must have. Empty when only the machine that builds runs it: then any will do. */
  readonly platforms: readonly Platform[];
  /** A stage bears the same name as the image, so a named context would replace the stage: it cannot be pinned. */
  readonly hidden: boolean;
}

/** What is done about a base. */
export interface BaseDecision {
  readonly need: BaseNeed;
  /** The index (or the single manifest) the build uses. */
  readonly manifest: BaseManifest;
  /** `name@sha256:…` of it. */
  readonly pinned: string;
  /** Whether a named context has to put `pinned` in the reference's place. */
  readonly replaced: boolean;
  readonly warning?: string;
}

/**
 * The images of a Dockerfile that come from outside, and the platforms each must have.
 * @param images what each platform's build pulls
 * @param provided keys of named contexts the build receives anyway, in BuildKit's short form
 * @throws DockerfileError for a malformed reference; Error for a provided context no platform's build would use
 */
export function baseNeeds(
  path: string,
  images: ReadonlyMap<Platform, DockerfileImages>,
  provided: readonly string[],
): readonly BaseNeed[] {
  const needs = new Map<string, BaseNeed>();
  for (const [platform, { references, stages, replacedStages }] of images) {
    const keys = new Set(replacedStages);
    for (const reference of references) {
      const name = readReference(path, reference);
      const key = familiarName(name);
      keys.add(key);
      if (provided.includes(key)) continue;
      const earlier = needs.get(key);
      const wanted = requiredPlatform(reference, platform);
      const line = Math.min(reference.line, earlier?.line ?? reference.line);
      const platforms = [...new Set([...(earlier?.platforms ?? []), ...(wanted === undefined ? [] : [wanted])])];
      needs.set(key, {
        path,
        written: earlier?.written ?? reference.reference,
        key,
        name,
        line,
        platforms,
        hidden: stages.includes(key),
      });
    }
    const unused = provided.filter((key) => !keys.has(key));
    if (unused.length > 0) {
      const known = JSON.stringify([...keys]);
      throw new Error(
        `${JSON.stringify(path)} uses no named context ${JSON.stringify(unused)} for ${platform}; its images are ${known}`,
      );
    }
  }
  return [...needs.values()].toSorted((left, right) => left.line - right.line);
}

/** The reference to ask the registry for: complete, with the tag Docker makes up when there is none. */
export function lookupReference({ name }: BaseNeed): string {
  const pinnedOrTagged = name.digest !== undefined || name.tag !== undefined;
  return formatReference(pinnedOrTagged ? name : { ...name, tag: "latest" });
}

/**
 * The tag to ask for besides, when a base is pinned to a manifest of one platform and others are wanted:
 * its index may serve instead. Undefined when the pin serves, or has no tag.
 */
export function repairReference(need: BaseNeed, found: BaseManifest): string | undefined {
  const { registry, repository, tag, digest } = need.name;
  const serves = need.platforms.length > 0 && missing(need, found).length === 0;
  if (digest === undefined || tag === undefined || found.kind === "index" || serves) return undefined;
  return formatReference({ registry, repository, tag });
}

/**
 * Decides what a build uses in a base's place, so that every platform starts from the same index and the
 * provenance names the same bytes. `found` answers {@link lookupReference}, `index` {@link repairReference}.
 * @throws DockerfileError naming file, line, reference and platform when a wanted platform is missing
 */
export function decideBase(need: BaseNeed, found: BaseManifest | undefined, index?: BaseManifest): BaseDecision {
  if (!found) throw fault(need, "does not exist in its registry (the answer was 404)");
  if (need.name.digest === undefined) {
    requirePlatforms(need, found);
    const warning = `${quoted(need)} is not pinned: a stage has the same name, and a named context would replace the stage`;
    return { need, manifest: found, pinned: pin(need, found), replaced: !need.hidden, ...(need.hidden && { warning }) };
  }
  const repairable = found.kind === "image" && index?.kind === "index" && missing(need, index).length === 0;
  if (!repairable) {
    requirePlatforms(need, found, index);
    return { need, manifest: found, pinned: pin(need, found), replaced: false };
  }
  const moved = !Object.values(index.platforms).includes(found.digest);
  const warning = `${quoted(need)} is pinned to one platform, and its tag now names other images; all platforms use the tag's index ${index.digest}`;
  return { need, manifest: index, pinned: pin(need, index), replaced: true, ...(moved && { warning }) };
}

/**
 * The manifest of an index that BuildKit takes for a platform: the platform's own, or else the nearest lower
 * variant that runs on it (`amd64` for `amd64/v3`, `arm/v6` for `arm/v7`).
 */
export function manifestFor(found: BaseManifest, platform: Platform): Digest | undefined {
  const [, lower, level] = /^(linux\/arm\/v)([67])$/.exec(platform) ?? [];
  const variants = lower === undefined ? [] : level === "7" ? [`${lower}6`, `${lower}5`] : [`${lower}5`];
  const plain = /^linux\/amd64\/v[234]$/.test(platform) ? ["linux/amd64"] : [];
  const match = [platform, ...variants, ...plain].find((candidate) => Object.hasOwn(found.platforms, candidate));
  return match === undefined ? undefined : found.platforms[match as Platform];
}

/** The platform an image is needed for in a platform's build; undefined for the builder's own. */
export function requiredPlatform({ platform }: ImageReference, target: Platform): Platform | undefined {
  return platform === "target" ? target : platform === "build" ? undefined : platform;
}

function readReference(path: string, { reference, line, unset }: ImageReference): Reference {
  try {
    return parseReference(reference);
  } catch (cause) {
    const hint = unset.length > 0 ? `; variables without a value: ${JSON.stringify(unset)}` : "";
    throw new DockerfileError(path, line, `${(cause as Error).message}${hint}`, { cause });
  }
}

function missing(need: BaseNeed, found: BaseManifest): readonly Platform[] {
  return need.platforms.filter((platform) => manifestFor(found, platform) === undefined);
}

function requirePlatforms(need: BaseNeed, found: BaseManifest, index?: BaseManifest): void {
  const lacking = missing(need, found);
  if (lacking.length === 0 && Object.keys(found.platforms).length > 0) return;
  const has = `${found.digest} has ${JSON.stringify(Object.keys(found.platforms))}`;
  throw fault(
    need,
    `has no image for ${lacking.join(", ") || "any platform"}: ${has}${repairAdvice(need, found, index)}`,
  );
}

function repairAdvice({ name }: BaseNeed, found: BaseManifest, index: BaseManifest | undefined): string {
  if (name.digest === undefined || found.kind === "index") return "";
  if (name.tag === undefined)
    return "; it is pinned to one platform without a tag, so its index cannot be found: provide a named context for it";
  if (!index) return "; its tag does not exist";
  return `; its tag names ${index.digest} with ${JSON.stringify(Object.keys(index.platforms))}`;
}

function pin({ name: { registry, repository } }: BaseNeed, { digest }: BaseManifest): string {
  return formatReference({ registry, repository, digest });
}

function fault(need: BaseNeed, problem: string): DockerfileError {
  return new DockerfileError(need.path, need.line, `the base ${quoted(need)} ${problem}`);
}

function quoted({ written }: BaseNeed): string {
  return JSON.stringify(written);
}
