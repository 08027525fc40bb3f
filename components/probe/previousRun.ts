import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { Published } from "../model/published";
import { readOwnState } from "./stackState";

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
  absent: z.literal(true).exactOptional(),
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
  const what = "the record of the last run";
  const { published: value } = (await readOwnState(what, ["readStackOutputs", "name"], readOutputs)).outputs;
  if (value === undefined || value === null) return {};
  const parsed = published.safeParse(value);
  if (parsed.success) return parsed.data;
  await pulumi.log.warn(`the record of the last run does not parse and is not used: ${z.prettifyError(parsed.error)}`);
  return {};
}
