import * as pulumi from "@pulumi/pulumi";
import { reasonOf } from "./reasonOf";

const mostTries = 10;
const pauseMs = 100;

/**
 * Reads from the stack's own state. While the program runs the engine goes on writing that state, and a file backend does
 * not write all of it in one piece (gocloud.dev's `.attrs` files), so a read may fail that succeeds a moment later. A failed
 * StackReference would fail the run; a failed call can be made again.
 * @throws RunError when it goes on failing.
 */
export async function persistently<T>(what: string, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (cause) {
      if (tries < mostTries) await new Promise((resolve) => setTimeout(resolve, pauseMs * tries));
      else throw new pulumi.RunError(`${what} cannot be read from the state: ${reasonOf(cause)}`);
    }
  }
}
