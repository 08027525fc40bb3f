import { z } from "zod";
import type { TagCandidate } from "../decide/versions";
import { type PagedList, readPages } from "./pages";
import type { UpstreamEdges } from "./upstreamEdges";

/** No forge has a limit of its own; a list this long is a server's mistake. */
const mostPages = 1000;
const time = z.iso.datetime({ offset: true }).nullish();

type Form = Pick<PagedList<TagCandidate>, "page" | "perPage"> & { readonly query: (page: number) => string };

/** GitLab: "List releases" of the Releases API. It has no flag for pre-releases. */
const gitlab: Form = {
  perPage: 100,
  query: (page) => `per_page=100&page=${page}`,
  page: z.array(
    z
      .object({ tag_name: z.string(), released_at: time, upcoming_release: z.boolean().nullish() })
      .transform(({ tag_name, released_at, upcoming_release }) => ({
        tag: tag_name,
        draft: upcoming_release === true,
        ...(released_at && { publishedAt: released_at }),
      })),
  ),
};

/** Gitea and Forgejo: "repoListReleases". A server may give fewer than asked for; its Link header then says that there are more. */
const gitea: Form = {
  perPage: 50,
  query: (page) => `limit=50&page=${page}`,
  page: z.array(
    z
      .object({ tag_name: z.string(), draft: z.boolean(), prerelease: z.boolean(), published_at: time })
      .transform(({ tag_name, draft, prerelease, published_at }) => ({
        tag: tag_name,
        draft,
        prerelease,
        ...(published_at && { publishedAt: published_at }),
      })),
  ),
};

/**
 * Reads all releases of a repository on a forge other than GitHub.
 * @param list address of the release list, without a query; see `resolveSource`.
 * @throws as {@link readPages}, also for a list without an end.
 */
export async function forgeReleases(
  edges: Pick<UpstreamEdges, "get">,
  { kind, list }: { readonly kind: "gitlabReleases" | "giteaReleases"; readonly list: string },
): Promise<readonly TagCandidate[]> {
  const { query, ...form } = kind === "gitlabReleases" ? gitlab : gitea;
  const { entries, whole } = await readPages({
    ...form,
    address: (page) => `${list}?${query(page)}`,
    ask: (address) => edges.get(address),
    what: "releases",
    identity: ({ tag }) => tag,
    mostPages,
  });
  if (whole) return entries;
  throw new Error(`GET ${list} has more than ${mostPages} pages`);
}

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
