import type { Transport } from "../registry/transport";
import { join } from "node:path";
import { cacheDirectory } from "../system/cacheDirectory";
import { listRemote } from "./gitReferences";
import { restApi, restApiOptions } from "./restApi";
import { once } from "../system/once";

/** What a REST API answered: the status code, and headers and body as text, unread. */
export interface RestAnswer {
  readonly code: number;
  /** JSON text of the response headers. */
  readonly headers: string;
  readonly body: string;
}

/** The ways discovery reaches the outside. All of them only read, and reject when no answer could be had. */
export interface UpstreamEdges {
  /** GET of an endpoint of GitHub relative to the API's base URL, without a leading slash. */
  readonly restApi: (endpoint: string) => Promise<RestAnswer>;
  /** GET of an address of a forge or package registry, without credentials. */
  readonly get: (address: string, accept?: string) => Promise<RestAnswer>;
  /** Output of `git ls-remote --heads --tags` for a URL that was checked before. */
  readonly listRemote: (url: string) => Promise<string>;
  /** All tags of an image's repository. */
  readonly imageTags: (repository: string) => Promise<readonly string[]>;
  /** Labels of an image, of an index those of one of its platforms. */
  readonly imageLabels: (reference: string) => Promise<Readonly<Record<string, string>>>;
}

/** Those of them that Pulumi's providers answer, where Pulumi runs the program. */
export type HostedEdges = Pick<UpstreamEdges, "restApi" | "listRemote">;

/**
 * Asks every question only once: two apps of one repository share the answer, so they also see the same commits.
 * A failure is shared as well.
 */
export function sharedEdges(edges: UpstreamEdges): UpstreamEdges {
  return {
    restApi: once(edges.restApi),
    get: once(edges.get),
    listRemote: once(edges.listRemote),
    imageTags: once(edges.imageTags),
    imageLabels: once(edges.imageLabels),
  };
}

/** The document of a package with thousands of versions takes tens of megabytes. */
const longestAnswer = 64 * 1024 * 1024;

/**
 * Asks forges and package registries, with the bounds and retries of `transport`.
 * @param api an API to whose base URL the addresses are relative, and the token for it.
 */
export function httpGet(
  transport: Transport,
  { base, token }: { readonly base?: string; readonly token?: string } = {},
): UpstreamEdges["get"] {
  return async (address, accept = "application/json") => {
    const answer = await transport.send({
      method: "GET",
      url: new URL(address, base),
      headers: { accept },
      bodyLimit: longestAnswer,
      ...(token !== undefined && { authorization: async () => `Bearer ${token}` }),
    });
    const headers = JSON.stringify({ link: answer.header("link") });
    const text = answer.body.toString("utf8");
    // Whatever is no answer ends up in a message, which is no place for what a host says that somebody else named.
    const quotable = answer.direct || (answer.status === 200 && /^\s*[[{]/.test(text));
    return {
      code: answer.status,
      headers,
      body: quotable ? text : `what ${answer.origin} says, to which it redirected`,
    };
  };
}

/**
 * GitHub and git as this program reaches them by itself, as Pulumi's providers would.
 * @param settings of the stack for the `github` provider. @throws Error when one of them is of the wrong kind.
 */
export function plainEdges(settings: Readonly<Record<string, unknown>>, environment: NodeJS.ProcessEnv): HostedEdges {
  const api = { ...restApiOptions(settings, environment), kept: join(cacheDirectory(), "github") };
  return {
    restApi: (endpoint) => restApi(endpoint, api),
    listRemote: (url) => listRemote(url, { environment }),
  };
}
