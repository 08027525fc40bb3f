import { local } from "@pulumi/command";
import * as github from "@pulumi/github";
import { gitListCommand } from "./gitReferences";

/** What the GitHub REST API answered: the status code, and headers and body as text, unread. */
export interface RestAnswer {
  readonly code: number;
  /** JSON text of the response headers. */
  readonly headers: string;
  readonly body: string;
}

/** The two ways discovery reaches the outside. Both only read. */
export interface UpstreamEdges {
  /** GET of an endpoint relative to the API's base URL, without a leading slash. Rejects when no answer could be had. */
  readonly restApi: (endpoint: string) => Promise<RestAnswer>;
  /** Output of `git ls-remote --heads --tags` for a URL that was checked before. Rejects when git fails. */
  readonly listRemote: (url: string) => Promise<string>;
}

/**
 * Asks every question only once: two apps of one repository share the answer, so they also see the same commits.
 * A failure is shared as well.
 */
export function sharedEdges(edges: UpstreamEdges): UpstreamEdges {
  return { restApi: once(edges.restApi), listRemote: once(edges.listRemote) };
}

function once<T>(ask: (question: string) => Promise<T>): (question: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (question) => {
    const known = answers.get(question);
    if (known) return known;
    const answer = ask(question);
    answers.set(question, answer);
    return answer;
  };
}

/**
 * The outside as Pulumi's providers reach it, each question asked once per run.
 * Base URL, token and retries of the API are the configuration of the `github` provider; git runs through the `command` provider, without a shell.
 */
export function pulumiEdges(): UpstreamEdges {
  return sharedEdges({
    restApi: (endpoint) => github.getRestApi({ endpoint }),
    listRemote: async (url) => (await local.run(gitListCommand(url))).stdout ?? "",
  });
}
