import { local } from "@pulumi/command";
import * as github from "@pulumi/github";
import { gitListCommand } from "./gitReferences";
import type { UpstreamEdges } from "./upstreamEdges";
import { sharedEdges } from "./upstreamEdges";

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
