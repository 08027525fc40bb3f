import { copyProblem, recordProblem } from "../decide/recordProblem";
import type { AppSpecification } from "../model/appSpecification";
import type { Release } from "../model/release";
import type { BuildRecord, RecordedImage } from "../model/buildRecord";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import type { PlanEdges } from "./planEdges";

/** A version for which records were handed over. */
export interface RecordsRequest {
  readonly specification: AppSpecification;
  readonly release?: Release;
  /** The version's tag in the mirror. */
  readonly tag: string;
  readonly handedOver: PerPlatform<RecordedImage>;
}

/** What became of the records that were handed over for one version. */
export interface ExaminedRecords {
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
export async function examineRecords(
  request: RecordsRequest,
  copies: PerPlatform<string>,
  edges: Pick<PlanEdges, "probe" | "labels">,
): Promise<ExaminedRecords> {
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
  { specification, release, tag }: RecordsRequest,
  copy: string | undefined,
  edges: Pick<PlanEdges, "probe" | "labels">,
): Promise<string | undefined> {
  if (record.origin === "copied") return copyProblem(record, copy);
  // It is used for the very image it is about, or not at all.
  if (record.origin === "scanned") return undefined;
  if (!release) return "upstream does not list its version any more";
  const reference = `${record.image.repository}@${record.image.digest}`;
  const image = await edges.probe(reference);
  try {
    const labels = image.state === "present" ? await edges.labels(reference) : {};
    return recordProblem(record, { specification, release, tag, image, labels });
  } catch (error) {
    return `the registry gave no usable answer about its image: ${reasonOf(error)}`;
  }
}
