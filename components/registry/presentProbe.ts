import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import type { PresentProbe } from "../model/probe";
import type { Descriptor, ImageManifest, IndexManifest, Manifest } from "./manifest";
import { imageConfigurationTypes } from "./imageConfiguration";
import { dockerListType, manifestKind } from "./manifest";
import { RegistryError } from "./registryError";

/** The questions about a manifest that only the registry can answer. */
export interface Questions {
  readonly exists: (digest: Digest) => Promise<boolean>;
  readonly platform: (image: ImageManifest) => Promise<Platform>;
  /** The platform of a child the index names none for; undefined when it is no image. */
  readonly platformOf: (child: Descriptor) => Promise<Platform | undefined>;
  /** An index inside the index; undefined when it is gone. */
  readonly nested: (digest: Digest) => Promise<IndexManifest | undefined>;
}

/**
 * Sorts what an index lists into platforms that exist, platforms whose manifest is lost, and other children. Where several children
 * serve one platform the first counts, as it does for whoever pulls.
 * @throws whatever a question throws: one child in doubt leaves the whole in doubt.
 */
export async function presentProbe(manifest: Manifest, questions: Questions): Promise<PresentProbe> {
  const { digest } = manifest;
  if (manifest.kind === "image") {
    const platforms = { [await questions.platform(manifest)]: digest };
    return { state: "present", digest, platforms, lost: {}, others: [] };
  }
  const children = await sortedChildren(manifest, questions);
  const { platforms, lost, misdescribed, further, remarks } = sortPlatforms(children);
  const gone = children.filter(({ platform, standing }) => platform === undefined && standing === "gone");
  const rewriteLoses = [...lostProperties(manifest), ...sharedManifests(children), ...uncheckable(manifest)];
  const said = [
    ...remarks,
    ...gone.map((child) => `it lists ${child.digest}, no image, which is gone`),
    ...platformEntries(lost).map(([platform, lostDigest]) => `it lists ${lostDigest} for ${platform}, which is gone`),
  ];
  return {
    state: "present",
    digest,
    platforms,
    lost,
    others: children
      .filter(({ platform, standing }) => platform === undefined && standing !== "gone")
      .map((child) => child.digest),
    ...(Object.keys(misdescribed).length > 0 && { misdescribed }),
    ...(further.length > 0 && { further }),
    ...(gone.length > 0 && { gone: gone.map((child) => child.digest) }),
    ...(rewriteLoses.length > 0 && { rewriteLoses }),
    ...(manifest.mediaType === dockerListType && { dockerList: true }),
    ...(said.length > 0 && { remarks: said }),
  };
}

/** A child of an index. `hidden`: it exists, but nobody can pull it by way of the index. */
interface Child {
  readonly digest: Digest;
  /** Undefined for what is no image. */
  readonly platform?: Platform;
  readonly standing: "pullable" | "hidden" | "gone";
}

async function sortedChildren(index: IndexManifest, questions: Questions, inside = false): Promise<readonly Child[]> {
  const children = await Promise.all(index.manifests.map((child) => sortChild(child, questions, inside)));
  return inside ? children.flat().map((child) => ({ ...child, ...hidden(child) })) : children.flat();
}

function hidden({ platform, standing }: Child): Pick<Child, "standing"> {
  return { standing: platform !== undefined && standing === "pullable" ? "hidden" : standing };
}

async function sortChild(child: Descriptor, questions: Questions, inside: boolean): Promise<readonly Child[]> {
  const { digest } = child;
  const kind = manifestKind(child.mediaType);
  const named = kind === "image" && !isAttachment(child) ? child.platform : undefined;
  if (!(await questions.exists(digest)))
    return [{ digest, standing: "gone", ...(named !== undefined && { platform: named }) }];
  if (named !== undefined) return [{ digest, platform: named, standing: "pullable" }];
  if (isAttachment(child) || (kind === "image" && !child.unnamed)) return [{ digest, standing: "pullable" }];
  if (kind === "index") return nestedChildren(digest, questions, inside);
  const platform = await questions.platformOf(child);
  const standing = platform !== undefined && kind === undefined ? "hidden" : "pullable";
  return [{ digest, standing, ...(platform !== undefined && { platform }) }];
}

async function nestedChildren(digest: Digest, questions: Questions, inside: boolean): Promise<readonly Child[]> {
  if (inside) {
    const accepted = "accepted is one index inside another";
    throw new RegistryError("malformed", `the index ${digest} is the third inside one another; ${accepted}`);
  }
  const nested = await questions.nested(digest);
  return nested ? sortedChildren(nested, questions, true) : [{ digest, standing: "gone" }];
}

/** What is attached to an image, although it may carry the image's platform. */
function isAttachment({ artifactType, annotations }: Descriptor): boolean {
  const artifact = artifactType !== undefined && !imageConfigurationTypes.includes(artifactType);
  return artifact || Object.hasOwn(annotations, "vnd.docker.reference.type");
}

interface SortedPlatforms {
  readonly platforms: PerPlatform<Digest>;
  readonly lost: PerPlatform<Digest>;
  readonly misdescribed: PerPlatform<Digest>;
  readonly further: readonly Digest[];
  readonly remarks: readonly string[];
}

function sortPlatforms(children: readonly Child[]): SortedPlatforms {
  const sorted = {
    platforms: {} as Record<Platform, Digest>,
    lost: {} as Record<Platform, Digest>,
    misdescribed: {} as Record<Platform, Digest>,
    further: [] as Digest[],
    remarks: [] as string[],
  };
  const named = children.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
  for (const platform of new Set(named)) {
    const served = children.filter((child) => child.platform === platform);
    const [first] = served;
    const best = (["pullable", "hidden"] as const)
      .map((standing) => served.find((child) => child.standing === standing))
      .find((child) => child !== undefined);
    const distinct = [...new Set(served.map(({ digest }) => digest))];
    const times = distinct.length;
    sorted.further.push(...distinct.filter((digest) => digest !== (best ?? first)?.digest));
    if (!best) {
      if (first) sorted.lost[platform] = first.digest;
    } else if (first?.standing === "gone") {
      sorted.misdescribed[platform] = best.digest;
      sorted.remarks.push(`of ${times} manifests for ${platform} the first, which clients take, is gone`);
    } else {
      sorted[best.standing === "pullable" ? "platforms" : "misdescribed"][platform] = best.digest;
      if (times > 1) sorted.remarks.push(`it lists ${times} manifests for ${platform}: ${best.digest} counts`);
    }
  }
  return sorted;
}

/** What describes the index as a whole. */
function lostProperties({ subject, artifactType, annotations }: IndexManifest): readonly string[] {
  return [
    ...(subject ? ["its subject"] : []),
    ...(artifactType === undefined ? [] : ["its artifactType"]),
    ...(Object.keys(annotations).length > 0 ? [`its annotations ${JSON.stringify(Object.keys(annotations))}`] : []),
  ];
}

/** The builder keeps one entry for each digest. */
function sharedManifests(children: readonly Child[]): readonly string[] {
  const platforms = new Map<Digest, Set<Platform>>();
  for (const { digest, platform } of children)
    if (platform !== undefined) platforms.set(digest, (platforms.get(digest) ?? new Set()).add(platform));
  return [...platforms].flatMap(([digest, names]) =>
    names.size > 1 ? [`one of ${[...names].join(", ")}, which share the manifest ${digest}`] : [],
  );
}

function uncheckable({ otherDigests }: IndexManifest): readonly string[] {
  return otherDigests.map(
    ({ digest, platform }) =>
      `${platform ?? "what it lists"} with the digest ${JSON.stringify(digest)}, which cannot be checked; accepted is sha256`,
  );
}
