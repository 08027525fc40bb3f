import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Digest, isDigest } from "./plan/digest";
import type { Platform } from "./plan/platform";
import type { Published } from "./plan/published";
import { reasonOf } from "./reasonOf";

const digest = z.custom<Digest>(isDigest);
const digests = z.record(
  z.custom<Platform>((value) => typeof value === "string" && value.includes("/")),
  digest,
);

const version = z.object({
  tag: z.string(),
  digest,
  platforms: digests,
  origin: z.enum(["built", "completed", "copied", "adopted"]),
  commit: z.string().exactOptional(),
  sources: z.array(z.string()).exactOptional(),
  images: digests.exactOptional(),
  attested: z.boolean().exactOptional(),
  referrers: z.boolean().exactOptional(),
  baseImages: z.record(z.string(), digests).exactOptional(),
});

const published = z.record(
  z.string(),
  z.object({
    repository: z.string(),
    versions: z.record(z.string(), version),
    floatingTags: z.record(z.string(), z.object({ version: z.string(), digest, source: z.string() })),
  }),
);

const readOutputs = z.object({ outputs: z.record(z.string(), z.unknown()) });

/**
 * Reads what the last run of this very stack recorded in its output `published`; empty on a first run.
 * The registry is the truth, so a record that does not parse is reported and dropped: what exists is then adopted.
 */
export async function previousRun(): Promise<Published> {
  const { published: value } = await ownOutputs();
  if (value === undefined || value === null) return {};
  const parsed = published.safeParse(value);
  if (parsed.success) return parsed.data;
  await pulumi.log.warn(`the record of the last run does not parse and is not used: ${z.prettifyError(parsed.error)}`);
  return {};
}

const mostTries = 10;
const pauseMs = 100;

/**
 * The outputs the stack's state holds. While the program runs the engine goes on writing that state, and a file backend does
 * not write all of it in one piece (gocloud.dev's `.attrs` files), so a read may fail that succeeds a moment later. A failed
 * StackReference would fail the run; a failed call can be made again.
 */
async function ownOutputs(): Promise<Readonly<Record<string, unknown>>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  for (let tries = 1; ; tries++) {
    try {
      const read: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
      return readOutputs.parse(read).outputs;
    } catch (cause) {
      if (tries < mostTries) await new Promise((resolve) => setTimeout(resolve, pauseMs * tries));
      else throw new pulumi.RunError(`the state of the last run cannot be read: ${reasonOf(cause)}`);
    }
  }
}
