import { z } from "zod";
import { restApi } from "./restApi";
import { secret } from "./secret";
import type { StandIn } from "./standIn";

// Over the wire a provider's settings arrive as strings, whatever their type: maxRetries "3", insecure "true".
const settingsSchema = z.object({
  baseUrl: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  maxRetries: z.coerce.number().int().min(0).optional(),
  retryDelayMs: z.coerce.number().int().min(0).optional(),
});

/**
 * Stand-in for the Pulumi package `github`: the function `github:index/getRestApi:getRestApi` and nothing else.
 *
 * Configuration as the official provider's: `baseUrl` or GITHUB_BASE_URL, `token` or GITHUB_TOKEN, `maxRetries`,
 * `retryDelayMs`. Neither the token nor a response body appears in an error.
 */
export function githubStandIn(version: string): StandIn {
  let settings: z.infer<typeof settingsSchema> = {};
  const noResources = async (): Promise<never> => {
    throw new Error(`the stand-in for the package "github" has no resources; install the official plugin`);
  };
  return {
    version,
    replacedBy: [],
    cancel: () => undefined,
    configure: (given) => {
      settings = settingsSchema.parse(given);
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
      const answer = await restApi(endpoint, {
        baseUrl: settings.baseUrl ?? environment("GITHUB_BASE_URL") ?? "https://api.github.com/",
        token: settings.token ?? environment("GITHUB_TOKEN"),
        maxRetries: settings.maxRetries ?? 3,
        retryDelay: settings.retryDelayMs ?? 1000,
      });
      return { ...answer };
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
