import { z } from "zod";
import { answerError } from "./absentOrUnknown";
import { RegistryError } from "./registryError";
import type { TransportAnswer } from "./transport";

/** ECR's most; a registry that gives fewer at once says so by a link to the next page. */
const perPage = 1000;
const mostPages = 1000;

const body = z.object({ tags: z.array(z.string()).nullish(), next_page: z.string().nullish() });

/**
 * All tags of a repository. Source: OCI distribution specification 1.1, "Listing Tags". The next page is named by a Link header, with
 * or without angle brackets, whole or relative, under whatever parameter the registry has for it (`last`, Quay's `next_page`), or
 * by `next_page` in the body. A full page without any of it is asked on from its last tag.
 * @param what the repository, for messages.
 * @param get asks for a path within the repository.
 * @throws RegistryError when a page is not a list of tags, or the list has no end: half a list decides nothing.
 */
export async function listTags(
  what: string,
  get: (path: string) => Promise<TransportAnswer>,
): Promise<readonly string[]> {
  const tags = new Set<string>();
  const asked = new Set<string>();
  let query: string | undefined = `n=${perPage}`;
  while (query !== undefined) {
    if (asked.has(query)) throw malformed(what, `the list comes back to ${JSON.stringify(query)}`);
    if (asked.size === mostPages) throw malformed(what, `the list has more than ${mostPages} pages`);
    asked.add(query);
    const answer = await get(`tags/list?${query}`);
    if (answer.status !== 200) throw answerError(`tags of ${what}`, answer);
    const page = read(what, answer);
    const fresh = (page.tags ?? []).filter((tag) => !tags.has(tag));
    for (const tag of fresh) tags.add(tag);
    const last = page.tags?.at(-1);
    query =
      linked(what, answer.header("link")) ??
      (page.next_page ? search({ n: `${perPage}`, next_page: page.next_page }) : undefined) ??
      (fresh.length >= perPage && last !== undefined ? search({ n: `${perPage}`, last }) : undefined);
  }
  return [...tags];
}

function read(what: string, { body: bytes }: TransportAnswer): z.infer<typeof body> {
  try {
    return body.parse(JSON.parse(bytes.toString("utf8")));
  } catch (cause) {
    throw malformed(what, `the answer is not a list of tags: ${JSON.stringify(bytes.toString("utf8", 0, 100))}`, cause);
  }
}

/** Only the query of the next page's address is used: the rest is where the first page was. */
function linked(what: string, header: string | undefined): string | undefined {
  const next = header?.split(/,(?=\s*<|\s*[^,;<>\s]+\s*;)/).find((link) => /;\s*rel="?next"?\s*(?:;|$)/i.test(link));
  if (next === undefined) return undefined;
  const target = next.replace(/;[^<>]*$/, "").replace(/^\s*<?|>?\s*$/g, "");
  const query = target.slice(target.indexOf("?") + 1);
  if (target.includes("?") && query !== "") return query;
  throw malformed(what, `the next page is said to be ${JSON.stringify(target.slice(0, 200))}`);
}

function search(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}

function malformed(what: string, fault: string, cause?: unknown): RegistryError {
  return new RegistryError("malformed", `cannot read tags of ${what}: ${fault}`, { cause });
}
