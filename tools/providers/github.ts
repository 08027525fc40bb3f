import { z } from "zod";
import { restApi, restApiOptions, type RestApiOptions } from "../../components/discover/restApi";
import { owner } from "./owner";
import { secret } from "./secret";
import type { StandIn } from "./standIn";

const ownerSettings = z.object({ owner: z.string().min(1).optional(), organization: z.string().min(1).optional() });

/**
 * Stand-in for the Pulumi package `github`: the function `github:index/getRestApi:getRestApi` and nothing else. It sends the
 * requests the official provider sends: on being configured those that find out the owner (see {@link owner}), then one at a
 * time, tried again and held back as there (see {@link restApi}).
 *
 * Configuration as the official provider's: `baseUrl` or GITHUB_BASE_URL, `token` or GITHUB_TOKEN, `organization` or
 * GITHUB_ORGANIZATION, GITHUB_OWNER or `owner`, `maxRetries`, `retryDelayMs`. Neither the token nor a response body appears in
 * an error.
 *
 * Compared with pulumi-github 6.15.0, which is terraform-provider-github 6.13.0 with go-github 88, setting by setting. Left out
 * on purpose: the token of a `gh` that is logged in, GitHub Apps as `appAuth`, other `retryableErrors` than those it has by
 * default, `insecure`, `maxPerPage` (a query of the endpoint's says so), `parallelRequests`, the delays between requests (none
 * between reads, by default), the client that `legacyClient: false` asks for, and its cache (`cachePath`). Different on purpose:
 * waits for a rate limit are bounded, a request that leads to another host is refused, and where nobody answers there is an
 * error, upon which the official provider ends itself (it reads the status of an answer it does not have).
 */
export function githubStandIn(version: string): StandIn {
  let api: RestApiOptions | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const noResources = async (): Promise<never> => {
    throw new Error(`the stand-in for the package "github" has no resources; install the official plugin`);
  };
  return {
    version,
    replacedBy: [],
    cancel: () => undefined,
    configure: async (given) => {
      const options = restApiOptions(given, process.env);
      const settings = ownerSettings.parse(given);
      const organization = settings.organization ?? environment("GITHUB_ORGANIZATION");
      await owner(organization ?? environment("GITHUB_OWNER") ?? settings.owner, options);
      api = options;
    },
    invoke: async (token, args) => {
      if (token !== "github:index/getRestApi:getRestApi") {
        throw new Error(
          `the stand-in for the package "github" knows github:index/getRestApi:getRestApi, not ` +
            `${JSON.stringify(token)}; install the official plugin for everything else`,
        );
      }
      const endpoint = secret.open(args["endpoint"]);
      if (typeof endpoint !== "string" || endpoint === "") {
        return [{ property: "endpoint", reason: "must be a string such as repos/<owner>/<name>/releases" }];
      }
      if (api === undefined) {
        throw new Error("the provider is asked before it is configured");
      }
      const asked = api;
      const answer = turn.then(() => restApi(endpoint, asked));
      turn = answer.catch(() => undefined);
      return { ...(await answer) };
    },
    check: (type) => [{ property: "", reason: `${JSON.stringify(type)}: the stand-in has no resources` }],
    create: noResources,
    update: noResources,
    delete: noResources,
  };
}

function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === "" ? undefined : value;
}
