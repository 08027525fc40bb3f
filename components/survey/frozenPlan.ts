import type { AppPlan, PlannedVersion } from "../plan/appPlan";
import type { AppSpecification } from "../plan/appSpecification";
import { recorded } from "../plan/plan";
import type { Platform } from "../plan/platform";
import { declaresResources, type PublishedApp, type PublishedVersion } from "../plan/published";
import { compareVersions } from "../plan/versions";

/**
 * The plan of an app this run does not deal with: what earlier runs declared is declared again as it was, unseen, so that
 * the run neither asks about it nor drops it.
 */
export function frozenPlan(
  specification: AppSpecification,
  repository: string,
  platforms: readonly Platform[],
  published: PublishedApp | undefined,
): AppPlan {
  const record = published?.repository === repository ? published : undefined;
  const versions = Object.entries(record?.versions ?? {}).map(([version, entry]) => frozenVersion(version, entry));
  const tags = Object.entries(record?.floatingTags ?? {});
  return {
    specification,
    repository,
    platforms,
    versions: versions.toSorted((left, right) => compareVersions(left.version, right.version)),
    floatingTags: tags.map(([tag, managed]) => ({ tag, action: "unchanged", candidates: [managed.version], managed })),
    rejected: [],
    notes: ["this run does not deal with the app; it is as the last run left it"],
    problems: [],
  };
}

function frozenVersion(version: string, record: PublishedVersion): PlannedVersion {
  const { tag, digest, platforms, origin, sources, images = {}, baseImages = {}, commit } = record;
  return {
    version,
    tag,
    plan: {
      state: "published",
      build: [],
      keep: images,
      lacking: [],
      present: { digest, platforms },
      origin,
      ...(sources && { sources: sources.map(recorded) }),
    },
    recipes: [],
    unpublishedBases: [],
    warnings: [],
    keptBases: baseImages,
    notOffered: {},
    official: [],
    copies: {},
    inWindow: true,
    attested: record.attested ?? false,
    ...(record.attested === true && { attestation: { mode: "keep" as const, gaps: [] } }),
    ...(record.referrers === true && { referrers: { mode: "keep", gaps: [], digests: [], declared: true } as const }),
    ...(declaresResources(record) && { managed: record }),
    ...(commit !== undefined && { recordedCommit: commit }),
  };
}
