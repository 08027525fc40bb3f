import { z } from "zod";
import { printable } from "../model/safeText";
import type { RestAnswer } from "./upstreamEdges";

/** A list that comes in pages. */
export interface PagedList<Entry> {
  /** Where a page is, counted from 1. */
  readonly address: (page: number) => string;
  readonly ask: (address: string) => Promise<RestAnswer>;
  readonly page: z.ZodType<readonly Entry[]>;
  /** What it is a list of, for messages: `releases`. */
  readonly what: string;
  /** Tells an entry from others. */
  readonly identity: (entry: Entry) => string;
  /** What a page holds unless it is the last one. */
  readonly perPage: number;
  readonly mostPages: number;
  /** Status by which the server says, on a later page, that it lists no more than it has listed. */
  readonly limitStatus?: number;
}

/**
 * Reads all pages of a list. It ends with an empty page, or a short one whose Link header (RFC 8288) names no next one.
 * @returns all entries, and whether they are all that the server lists: a limit of its own may have cut the list off.
 * @throws Error when a page cannot be had, is not 200, is not of the form, or repeats an earlier one: half a list decides nothing.
 */
export async function readPages<Entry>(
  list: PagedList<Entry>,
): Promise<{ readonly entries: readonly Entry[]; readonly whole: boolean }> {
  const seen = new Set<string>();
  const entries: Entry[] = [];
  for (let number = 1; number <= list.mostPages; number++) {
    const address = list.address(number);
    const answer = await list.ask(address);
    if (answer.code === list.limitStatus && number > 1) break;
    const page = readAnswer(address, answer, list.page, `list of ${list.what}`);
    // A server that ignores the page number would otherwise look like a long list.
    const identity = JSON.stringify(page.map(list.identity));
    if (page.length > 0 && seen.has(identity)) throw new Error(`GET ${address} repeats an earlier page of the list`);
    seen.add(identity);
    entries.push(...page);
    if (page.length === 0 || (page.length < list.perPage && !hasNext(answer))) return { entries, whole: true };
  }
  return { entries, whole: false };
}

/**
 * Reads the JSON of an answer.
 * @param what is expected, for the message: `list of releases`.
 * @throws Error when the status is not 200 or the body not of the form.
 */
export function readAnswer<T>(address: string, { code, body }: RestAnswer, form: z.ZodType<T>, what: string): T {
  if (code !== 200) throw new Error(`GET ${address} answered ${code} ${printable(body, 200)}; expected 200`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new Error(`GET ${address} answered with something that is not JSON: ${printable(body, 100)}`, { cause });
  }
  const read = form.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new Error(`GET ${address} did not answer with a ${what}: ${issue?.message} at ${printable(place)}`, {
    cause: read.error,
  });
}

/** A page may be short and yet not the last; the Link header then says so. Headers that cannot be read say nothing. */
function hasNext({ headers }: RestAnswer): boolean {
  try {
    const fields = Object.entries(z.record(z.string(), z.unknown()).parse(JSON.parse(headers)));
    const links = fields.filter(([name]) => name.toLowerCase() === "link").flatMap(([, value]) => value);
    return links.some((link) => typeof link === "string" && /;\s*rel="?next"?/i.test(link));
  } catch {
    return false;
  }
}
