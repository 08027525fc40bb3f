import type { BuildRecipe, NamedContext, PlannedVersion } from "../decide/appPlan";
import type { AppSpecification, Source } from "../model/appSpecification";
import { type Platform, platformsIn } from "../model/platform";
import type { BuildRecordInput } from "../model/buildRecord";
import { localBuilder, type RunContext } from "../model/runContext";
import { hexOf } from "../model/digest";

/**
 * What is known of how a version came to be, out of its plan. A version that is not built in this run has no recipes any
 * more; its record is marked as reconstructed and names neither run nor builder, unless a repair finds the original in
 * the state. Undefined when the upstream commit is not known: then there is nothing to state.
 */
export function versionBuildRecord(
  specification: AppSpecification,
  version: PlannedVersion,
  run: RunContext,
): BuildRecordInput | undefined {
  const { release, recipes, plan } = version;
  const { source, subdirectory, target } = specification;
  const made = plan.build.length > 0;
  // Where upstream's tag points now says nothing about a build of the past.
  const commit = version.recordedCommit ?? version.managed?.commit ?? (made ? release?.commit : undefined);
  if (commit === undefined || release === undefined) return undefined;
  const own = specification.ownDockerfile;
  const bases = recipes.flatMap((recipe) => recipe.bases).map(({ reference, digest }) => ({ reference, digest }));
  return {
    version: version.version,
    tag: version.tag,
    upstream: { repository: repositoryUrl(source), reference: release.tag, kind: release.reference, commit },
    dockerfile:
      own === undefined
        ? { path: specification.dockerfile ?? "Dockerfile", owner: "upstream" }
        : { path: own, owner: "mirror" },
    ...(subdirectory !== undefined && { subdirectory }),
    ...(target !== undefined && { target }),
    namedContexts: Object.fromEntries(recipes.flatMap(namedContexts)),
    buildArguments: Object.fromEntries(
      recipes.map(({ platform, buildArguments }) => [platform, { ...buildArguments }]),
    ),
    platforms: platforms(version),
    bases: [...new Map(bases.map((base) => [`${base.reference} ${base.digest}`, base])).values()],
    files: files(recipes),
    ...(made ? run : { builder: { id: localBuilder }, reconstructed: true as const }),
  };
}

function repositoryUrl(source: Source): string {
  return source.kind === "githubReleases" ? `https://github.com/${source.repository}` : source.url;
}

/** Those this mirror builds or has built, those copied from upstream's own image, and those that were there before. */
function platforms({ plan, copies }: PlannedVersion): BuildRecordInput["platforms"] {
  const origin = (platform: Platform): BuildRecordInput["platforms"][string] => {
    const from = copies[platform];
    if (plan.build.includes(platform)) return from === undefined ? { origin: "built" } : { origin: "copied", from };
    return { origin: platform in plan.keep ? "built" : "kept" };
  };
  const all = new Set([...plan.build, ...platformsIn(plan.keep), ...platformsIn(plan.present?.platforms)]);
  return Object.fromEntries([...all].map((platform) => [platform, origin(platform)]));
}

function namedContexts(recipe: BuildRecipe): [string, string][] {
  return Object.entries(recipe.namedContexts).map(([key, context]) => [key, describe(context)]);
}

function describe(context: NamedContext): string {
  return context.kind === "reference"
    ? context.location
    : `image of ${context.app} ${context.version}, built in the same run`;
}

function files(recipes: readonly BuildRecipe[]): { url: string; sha256: string }[] {
  const checksums = new Map(recipes.flatMap(({ fileChecksums }) => Object.entries(fileChecksums)));
  return [...checksums].map(([url, digest]) => ({ url, sha256: hexOf(digest) }));
}
