import { releaseLabels } from "../decide/labels";
import type { AppSpecification } from "../model/appSpecification";
import type { BuildRecord, BuiltRecord, CopiedRecord, RecordedImage } from "../model/buildRecord";
import { type Release, buildTarget, gitReferenceOf } from "../model/release";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import type { Probe } from "../model/probe";
import { reasonOf } from "../model/reasonOf";
import type { PlanEdges } from "./planEdges";

/** A version for which records were handed over. */
export interface HandedOverVersion {
  readonly specification: AppSpecification;
  readonly release?: Release;
  /** The version's tag in the mirror. */
  readonly tag: string;
  readonly handedOver: PerPlatform<RecordedImage>;
}

/** What became of the records that were handed over for one version. */
export interface Acceptance {
  /** The images they are about are used. */
  readonly accepted: PerPlatform<RecordedImage>;
  /** Why each of the others is refused. */
  readonly refused: PerPlatform<string>;
}

/**
 * Holds every record that was handed over for a version against upstream, the app's file and the registry, of which only the
 * manifest and the configuration of its image are read. Never rejects.
 * @param copies upstream's own manifests that are to be copied.
 */
export async function acceptHandedOver(
  request: HandedOverVersion,
  copies: PerPlatform<string>,
  edges: Pick<PlanEdges, "probe" | "said">,
): Promise<Acceptance> {
  const accepted: Record<Platform, RecordedImage> = {};
  const refused: Record<Platform, string> = {};
  for (const [platform, image] of platformEntries(request.handedOver)) {
    const problem = await examine(image.record, request, copies[platform], edges);
    if (problem === undefined) accepted[platform] = image;
    else refused[platform] = `the build record for ${platform} is refused: ${problem}`;
  }
  return { accepted, refused };
}

async function examine(
  record: BuildRecord,
  { specification, release, tag }: HandedOverVersion,
  copy: string | undefined,
  edges: Pick<PlanEdges, "probe" | "said">,
): Promise<string | undefined> {
  if (record.origin === "copied") return copyProblem(record, copy);
  // It is used for the very image it is about, or not at all.
  if (record.origin === "scanned") return undefined;
  if (!release) return "upstream does not list its version any more";
  const reference = `${record.image.repository}@${record.image.digest}`;
  const image = await edges.probe(reference);
  try {
    const labels = image.state === "present" ? (await edges.said(reference)).labels : {};
    return recordProblem(record, { specification, release, tag, image, labels });
  } catch (error) {
    return `the registry gave no usable answer about its image: ${reasonOf(error)}`;
  }
}

/** What a record that was handed over is held against. */
interface RecordFacts {
  readonly specification: AppSpecification;
  readonly release: Release;
  /** The version's tag in the mirror. */
  readonly tag: string;
  /** What the registry says about the image, by digest. */
  readonly image: Probe;
  /** The labels of the image. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Why the record of an image that was built is not believed, in words; undefined: nothing speaks against it. That an image is
 * the very one that was checked only whoever wrote the record knows.
 */
function recordProblem(record: BuiltRecord, facts: RecordFacts): string | undefined {
  const { platform, image } = record;
  if (record.tag !== facts.tag) return `it is about the tag ${JSON.stringify(record.tag)}, not ${facts.tag}`;
  switch (facts.image.state) {
    case "absent":
      return `no such manifest: ${image.digest} is not in the registry`;
    case "unknown":
      return `the registry gave no usable answer about its image (${facts.image.cause}): ${facts.image.reason}`;
    case "present": {
      const found = Object.entries(facts.image.platforms);
      if (found.length === 1 && found[0]?.[0] === platform && found[0][1] === image.digest)
        return sourceProblem(record, facts) ?? checksProblem(record, facts);
      const names = found.map(([name]) => name).join(", ");
      return `the registry says its image is for ${names}, wanted is ${platform}`;
    }
    default:
      return facts.image satisfies never;
  }
}

function sourceProblem({ upstream }: BuiltRecord, facts: RecordFacts): string | undefined {
  const { release, labels } = facts;
  if (upstream.commit !== release.commit)
    return `it was built from commit ${upstream.commit}, the release is commit ${release.commit}`;
  const { kind, name } = gitReferenceOf(release);
  if (upstream.reference !== name || upstream.kind !== kind)
    return `it was built from ${upstream.kind} ${JSON.stringify(upstream.reference)}, the release is ${kind} ${JSON.stringify(name)}`;
  const wrong = Object.entries(releaseLabels(facts.specification, release)).find(
    ([key, value]) => labels[key] !== value,
  );
  return (
    wrong &&
    `its image is another one: the label ${wrong[0]} is ${JSON.stringify(labels[wrong[0]] ?? "")}, not ${JSON.stringify(wrong[1])}`
  );
}

/** Every check the app's file asks for must have been made, and that very one. */
function checksProblem(
  { checks, platform }: BuiltRecord,
  { specification: { smoke, identical }, release }: RecordFacts,
): string | undefined {
  if (smoke && JSON.stringify(checks.smoke?.command) !== JSON.stringify(smoke.command))
    return "its image was not run with the app's smoke command";
  if (!identical) return undefined;
  const url = identical.file(buildTarget(release, platform));
  return checks.identical?.path === identical.path && checks.identical.url === url
    ? undefined
    : `its image was not compared with ${url}`;
}

/**
 * The same for an image that is to be copied.
 * @param copy upstream's own manifest for the platform, by digest; undefined: it is not to be copied.
 */
function copyProblem({ from, image }: CopiedRecord, copy: string | undefined): string | undefined {
  if (copy === undefined) return "it was copied, but upstream's own image is not to be copied for this platform";
  return from === copy && copy.endsWith(`@${image.digest}`)
    ? undefined
    : `it was copied from ${JSON.stringify(from)}, upstream's own image is ${copy}`;
}
