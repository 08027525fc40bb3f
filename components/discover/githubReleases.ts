import { z } from "zod";
import type { TagCandidate } from "../decide/versions";
import { printable } from "../model/safeText";
import type { RestAnswer, UpstreamEdges } from "./upstreamEdges";

/** Every release the API lists, and whether the list may have been cut off at the API's limit: older ones may be missing. */
export interface ReleaseList {
  readonly candidates: readonly TagCandidate[];
  readonly atLimit: boolean;
}

const perPage = 100;
/** GitHub lists at most 1,000 releases of a repository, however many pages are asked for. */
const mostPages = 10;

const releasePage = z.array(
  z.object({
    tag_name: z.string(),
    draft: z.boolean(),
    prerelease: z.boolean(),
    published_at: z.iso.datetime({ offset: true }).nullish(),
  }),
);

type Page = z.infer<typeof releasePage>;

/**
 * Reads all pages of a repository's release list (REST API, "List releases").
 * @param repository `owner/name`, checked before.
 * A later page that GitHub refuses with 422, as it does past its limit, ends the list as the limit does.
 * @throws Error when a page cannot be had, is not 200, is not a list of releases, or repeats an earlier one.
 */
export async function githubReleases(edges: Pick<UpstreamEdges, "restApi">, repository: string): Promise<ReleaseList> {
  const seen = new Set<string>();
  const releases: Page[number][] = [];
  for (let number = 1; number <= mostPages; number++) {
    const endpoint = `repos/${repository}/releases?per_page=${perPage}&page=${number}`;
    const answer = await edges.restApi(endpoint);
    if (answer.code === 422 && number > 1) break;
    const page = readPage(endpoint, answer);
    // A server that ignores the page number would otherwise look like a long list.
    const identity = JSON.stringify(page.map(({ tag_name }) => tag_name));
    if (page.length > 0 && seen.has(identity)) throw new Error(`GET ${endpoint} repeats an earlier page of the list`);
    seen.add(identity);
    releases.push(...page);
    if (page.length === 0 || (page.length < perPage && !hasNext(answer)))
      return { candidates: releases.map(asCandidate), atLimit: false };
  }
  return { candidates: releases.map(asCandidate), atLimit: true };
}

function readPage(endpoint: string, { code, body }: RestAnswer): Page {
  if (code !== 200) throw new Error(`GET ${endpoint} answered ${code} ${printable(body, 200)}; expected 200`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new Error(`GET ${endpoint} answered with something that is not JSON: ${printable(body, 100)}`, { cause });
  }
  const page = releasePage.safeParse(json);
  if (page.success) return page.data;
  const [issue] = page.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new Error(`GET ${endpoint} did not answer with a list of releases: ${issue?.message} at ${printable(place)}`, {
    cause: page.error,
  });
}

/** A page may be short and yet not the last; the Link header (RFC 8288) then says so. Headers that cannot be read say nothing. */
function hasNext({ headers }: RestAnswer): boolean {
  try {
    const fields = Object.entries(z.record(z.string(), z.unknown()).parse(JSON.parse(headers)));
    const links = fields.filter(([name]) => name.toLowerCase() === "link").flatMap(([, value]) => value);
    return links.some((link) => typeof link === "string" && /;\s*rel="?next"?/i.test(link));
  } catch {
    return false;
  }
}

function asCandidate({ tag_name, draft, prerelease, published_at }: Page[number]): TagCandidate {
  return { tag: tag_name, draft, prerelease, ...(published_at && { publishedAt: published_at }) };
}
