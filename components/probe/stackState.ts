import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import * as pulumi from "@pulumi/pulumi";
import { reasonOf } from "../model/reasonOf";

/** What the stack's state says exists, by resource name. It may be wrong: the registry is the truth. */
export interface StackState {
  /** The digest each Image pushed, and how its export is spelled. */
  readonly images: ReadonlyMap<string, { readonly digest: Digest; readonly exported?: string }>;
  /** The sources each Index was last written from. */
  readonly indexes: ReadonlyMap<string, readonly string[]>;
  /** What was attested or copied beside indexes: the commands that did it. */
  readonly commands: ReadonlySet<string>;
}

const answer = z.object({
  outputs: z.record(z.string(), z.object({ type: z.string(), outputs: z.record(z.string(), z.unknown()) })),
});

const exportList = z.array(z.object({ raw: z.string() }));

/** Reads the resources the last run of this very stack left in its state; none on a first run. */
export async function readStackState(): Promise<StackState> {
  const what = "the resources of the last run";
  const { outputs: resources } = await readOwnState(what, ["readStackResourceOutputs", "stackName"], answer);
  const images = new Map<string, { digest: Digest; exported?: string }>();
  const indexes = new Map<string, readonly string[]>();
  const commands = new Set<string>();
  for (const [urn, { type, outputs }] of Object.entries(resources)) {
    const name = urn.slice(urn.lastIndexOf("::") + 2);
    const { digest, sources, exports } = outputs;
    if (type === "docker-build:index:Image" && isDigest(digest)) images.set(name, { digest, ...exportOf(exports) });
    if (type === "docker-build:index:Index" && isTextList(sources)) indexes.set(name, sources);
    if (type === "command:local:Command") commands.add(name);
  }
  return { images, indexes, commands };
}

function exportOf(exports: unknown): { exported?: string } {
  const raw = exportList.safeParse(exports).data?.[0]?.raw;
  return raw === undefined ? {} : { exported: raw };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

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
export async function readOwnState<T>(
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
      if (tries < mostTries) await new Promise((resolve) => setTimeout(resolve, pauseMs * tries));
      else throw new pulumi.RunError(`${what} cannot be read from the state: ${reasonOf(cause)}`);
    }
  }
}
