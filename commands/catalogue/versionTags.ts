import type { AppSpecification } from "../../components/model/appSpecification";
import type { Digest } from "../../components/model/digest";
import { captured, defaultTagRule } from "../../components/model/tagRule";
import { unpublishedTag } from "../../components/registry/unpublishedIndex";
import { compareVersions, isVersion, lineOf } from "../../components/model/version";

/** A tag that is one version's own. */
export interface VersionTag {
  readonly tag: string;
  readonly version: string;
  readonly digest: Digest;
}

/** The fallback tags of referrers, and what older cosign wrote beside them. */
const attachment = /^sha256-[0-9a-f]{64}(\.\w+)?$/;

/** Whether a tag is of somebody's use: no fallback tag, nor the one that keeps what has no tag yet. */
export function isOwnTag(tag: string): boolean {
  return !attachment.test(tag) && tag !== unpublishedTag;
}

/**
 * Which of a repository's tags are versions, highest first, and which others there are. A line of versions (`11`, `11.10`) that
 * names what one of its versions names is none; `latest` never is, nor the name of a commit of an app that has versions.
 */
export function versionTags(
  tags: ReadonlyMap<string, Digest>,
  { source, tagRule = defaultTagRule }: Pick<AppSpecification, "source" | "tagRule">,
): { readonly versions: readonly VersionTag[]; readonly others: readonly string[] } {
  const versionOf = (tag: string): string | undefined => {
    if (source.kind === "gitBranch") return /^[0-9a-f]{8}$/.test(tag) ? tag : undefined;
    const bare = tag.replace(/^v(?=\d)/, "");
    return isVersion(bare) ? bare : captured(tag, tagRule) || undefined;
  };
  const read = [...tags].flatMap(([tag, digest]): VersionTag[] => {
    const version = versionOf(tag);
    return version === undefined ? [] : [{ tag, version, digest }];
  });
  const isLine = ({ tag, digest }: VersionTag): boolean =>
    read.some((other) => linesOf(other.version).includes(tag) && other.digest === digest);
  const versions = read
    .filter((one) => !isLine(one))
    .toSorted((left, right) => compareVersions(left.version, right.version));
  const named = new Set(versions.map(({ tag }) => tag));
  return { versions, others: [...tags.keys()].filter((tag) => !named.has(tag)).toSorted() };
}

/** The lines a version is of, without itself. */
function linesOf(version: string): readonly string[] {
  return [lineOf(version, 1), lineOf(version, 2)].filter((line) => line !== undefined && line !== version) as string[];
}
