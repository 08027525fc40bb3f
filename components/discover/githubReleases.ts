import { z } from "zod";
import type { TagCandidate } from "../decide/versions";
import { readPages } from "./pages";
import type { UpstreamEdges } from "./upstreamEdges";

/** Every release the API lists, and whether the list may have been cut off at the API's limit: older ones may be missing. */
export interface ReleaseList {
  readonly candidates: readonly TagCandidate[];
  readonly atLimit: boolean;
}

const perPage = 100;

const releasePage = z.array(
  z.object({
    tag_name: z.string(),
    draft: z.boolean(),
    prerelease: z.boolean(),
    published_at: z.iso.datetime({ offset: true }).nullish(),
  }),
);

/**
 * Reads all pages of a repository's release list (REST API, "List releases"). GitHub lists at most 1,000 releases of a
 * repository, however many pages are asked for; past its limit it answers 422.
 * @param repository `owner/name`, checked before.
 * @throws as {@link readPages}.
 */
export async function githubReleases(edges: Pick<UpstreamEdges, "restApi">, repository: string): Promise<ReleaseList> {
  const { entries, whole } = await readPages({
    address: (page) => `repos/${repository}/releases?per_page=${perPage}&page=${page}`,
    ask: edges.restApi,
    page: releasePage,
    what: "releases",
    identity: ({ tag_name }) => tag_name,
    perPage,
    mostPages: 10,
    limitStatus: 422,
  });
  const candidates = entries.map(({ tag_name, draft, prerelease, published_at }): TagCandidate => {
    return { tag: tag_name, draft, prerelease, ...(published_at && { publishedAt: published_at }) };
  });
  return { candidates, atLimit: !whole };
}
