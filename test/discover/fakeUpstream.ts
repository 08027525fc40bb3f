import type { RestAnswer, UpstreamEdges } from "../../components/discover/upstreamEdges";

/** A stand-in for the outside that answers from tables and keeps a log; what is in no table rejects, as a dead network would. */
export interface FakeUpstream extends UpstreamEdges {
  readonly log: readonly string[];
}

export function fakeUpstream(tables: {
  readonly rest?: Readonly<Record<string, RestAnswer | Error>>;
  readonly git?: Readonly<Record<string, string | Error>>;
  readonly web?: Readonly<Record<string, RestAnswer | Error>>;
  /** By repository. */
  readonly tags?: Readonly<Record<string, readonly string[] | Error>>;
  /** By reference. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>> | Error>>;
}): FakeUpstream {
  const log: string[] = [];
  const answer = async <T>(question: string, table: Readonly<Record<string, T | Error>> = {}): Promise<T> => {
    log.push(question);
    const found = table[question];
    if (found === undefined) throw new Error(`connection refused: ${question}`);
    if (found instanceof Error) throw found;
    return found;
  };
  return {
    log,
    restApi: (endpoint) => answer(endpoint, tables.rest),
    listRemote: (url) => answer(url, tables.git),
    get: (address) => answer(address, tables.web),
    imageTags: (repository) => answer(repository, tables.tags),
    imageLabels: (reference) => answer(reference, tables.labels),
  };
}

/** A release as the GitHub API writes it, with some of the fields nobody asked for. */
export function githubRelease(
  tag: string,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const fixed = {
    id: 1,
    name: `Release ${tag}`,
    draft: false,
    prerelease: false,
    published_at: "2026-08-01T10:00:00Z",
  };
  return { ...fixed, tag_name: tag, assets: [], ...more };
}

/** A good answer of the API. */
export function ok(releases: unknown, headers: Readonly<Record<string, unknown>> = {}): RestAnswer {
  return { code: 200, headers: JSON.stringify(headers), body: JSON.stringify(releases) };
}

/** Output of `git ls-remote` for lightweight tags; the commit is the number of the tag, counted from 1. */
export function remoteTags(tags: readonly string[]): string {
  return tags.map((tag, index) => `${commitNumber(index + 1)}\trefs/tags/${tag}`).join("\n");
}

export function commitNumber(number: number): string {
  return number.toString(16).padStart(40, "0");
}
