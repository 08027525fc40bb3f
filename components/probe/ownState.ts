import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { reasonOf } from "../model/reasonOf";

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
