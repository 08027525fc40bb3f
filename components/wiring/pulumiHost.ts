import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { listRemote } from "../discover/gitReferences";
import type { HostedEdges } from "../discover/upstreamEdges";
import type { Host } from "./host";
import { reasonOf } from "../model/reasonOf";
import { safeText } from "../model/safeText";
import { stackState } from "../probe/stackState";
import { buildAccess, writeAccess } from "../probe/writeAccess";
import { systemClock } from "../system/clock";

/** Pulumi, of whose running program this is part. */
export function pulumiHost(): Host {
  const { env: environment } = process;
  const warn = (text: string): Promise<void> => pulumi.log.warn(safeText(text, 2000));
  const dryRun = pulumi.runtime.isDryRun();
  // A preview needs no write credentials.
  const mayWrite = dryRun ? undefined : writeAccess(environment);
  return {
    ...{ stackConfig: stackConfig(), environment, dryRun, upstream: pulumiEdges() },
    stack: pulumi.getStack(),
    outputs: async () =>
      (await readOwnState("the record of the last run", ["readStackOutputs", "name"], outputsAnswer)).outputs,
    state: async () => {
      const what = "the resources of the last run";
      const { outputs } = await readOwnState(what, ["readStackResourceOutputs", "stackName"], resourcesAnswer);
      return stackState(Object.entries(outputs).map(([urn, resource]) => ({ urn, ...resource })));
    },
    mayWrite,
    beforeBuild: mayWrite ?? buildAccess(environment),
    warn,
  };
}

/**
 * Every key the running stack sets for this project, without the project's name in front, as Pulumi hands it over:
 * text, or JSON text for lists and maps. Keys the program does not know are there too, so that they can be refused.
 */
export function stackConfig(): Readonly<Record<string, string>> {
  const { name } = new pulumi.Config();
  const prefix = `${name}:`;
  const entries = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value] as const);
  return Object.fromEntries(entries);
}

/**
 * GitHub as Pulumi's provider reaches it, whose configuration base URL, token and retries of the API are, and git.
 */
export function pulumiEdges(): HostedEdges {
  return {
    restApi: (endpoint) => github.getRestApi({ endpoint }),
    listRemote: (url) => listRemote(url),
  };
}

const outputsAnswer = z.object({ outputs: z.record(z.string(), z.unknown()) });
const resourcesAnswer = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.record(z.string(), z.unknown()) })),
});

const mostTries = 10;
const pauseMs = 100;

/**
 * Reads from the stack's own state. While the program runs the engine goes on writing that state, and a file backend does
 * not write all of it in one piece (gocloud.dev's `.attrs` files), so a read may fail that succeeds a moment later. A failed
 * StackReference would fail the run; a failed call can be made again.
 * @param what is read, in words.
 * @param call the engine's function `pulumi:pulumi:<call>`, and the argument that names the stack.
 * @throws RunError when it goes on failing.
 */
async function readOwnState<T>(
  what: string,
  [call, argument]: readonly [call: string, argument: string],
  schema: z.ZodType<T>,
): Promise<T> {
  const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  for (let tries = 1; ; tries++) {
    try {
      const read: unknown = await pulumi.runtime.invoke(`pulumi:pulumi:${call}`, { [argument]: stack });
      return schema.parse(read);
    } catch (cause) {
      if (tries < mostTries) await systemClock.sleep(pauseMs * tries);
      else throw new pulumi.RunError(`${what} cannot be read from the state: ${reasonOf(cause)}`);
    }
  }
}
