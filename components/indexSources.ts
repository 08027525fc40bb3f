import * as pulumi from "@pulumi/pulumi";
import type { PlannedVersion } from "./plan/appPlan";
import type { AppSpecification } from "./plan/appSpecification";
import { type Digest, isDigest } from "./plan/digest";
import type { IndexSource } from "./plan/plan";
import type { Platform } from "./plan/platform";
import { reasonOf } from "./reasonOf";
import type { VersionEdges } from "./versionEdges";

/** What the sources of a version's index are made from. */
export interface SourcesRequest {
  readonly specification: AppSpecification;
  readonly repository: string;
  readonly planned: PlannedVersion;
  readonly edges: Pick<VersionEdges, "check" | "lookAgain">;
}

/** The sources of an index whose images all passed their checks. */
export interface CheckedSources {
  /** In order, each by digest. */
  readonly references: string[];
  /** The images built for it. */
  readonly built: Readonly<Record<Platform, Digest>>;
}

/**
 * Checks every new image, looks at the tag a last time and composes the sources. Should another run have published in
 * the meantime, the platforms it published stay: only what is still missing is added.
 * @param made the images built in this run, as the provider names them.
 * @throws RunError, which Pulumi prints without a stack trace, when an image must not get the tag.
 */
export async function checkedSources(
  made: ReadonlyMap<Platform, string>,
  tag: string,
  { specification, repository, planned, edges }: SourcesRequest,
  sources: readonly IndexSource[],
): Promise<CheckedSources> {
  try {
    const built = Object.fromEntries([...made].map(([platform, reference]) => [platform, digestOf(reference)]));
    const fresh = (platform: Platform): string => planned.copies[platform] ?? `${repository}@${built[platform]}`;
    await Promise.all(
      planned.plan.build.map((platform) => {
        const recipe = planned.recipes.find((candidate) => candidate.platform === platform);
        return edges.check({ reference: fresh(platform), platform, specification, planned, ...(recipe && { recipe }) });
      }),
    );
    const now = await edges.lookAgain(tag);
    if (now === undefined || now.digest === planned.plan.present?.digest) {
      return {
        built,
        references:
          planned.copiedIndex === undefined
            ? sources.map((source) => (source.kind === "build" ? fresh(source.platform) : literal(source, repository)))
            : [planned.copiedIndex],
      };
    }
    const missing = planned.plan.build.filter((platform) => !(platform in now.platforms));
    return { built, references: [`${repository}@${now.digest}`, ...missing.map(fresh)] };
  } catch (error) {
    throw new pulumi.RunError(`${tag} is not written: ${reasonOf(error)}`);
  }
}

/** A source that exists, as a reference. */
export function literal(source: IndexSource, repository: string): string {
  switch (source.kind) {
    case "recorded":
      return source.reference;
    case "existing":
      return `${repository}@${source.digest}`;
    case "build":
      throw new Error(`the image for ${source.platform} is not built yet`);
    default:
      return source satisfies never;
  }
}

/** The digest of a reference; one without a digest names whatever the tag holds and must never be used. */
export function digestOf(reference: string): Digest {
  const digest = reference.split("@")[1];
  if (isDigest(digest)) return digest;
  throw new Error(
    `the builder gave ${JSON.stringify(reference)}, which carries no digest; the push was probably refused`,
  );
}
