import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import { attestConfigSchema } from "../config/attestConfig";
import { versionRecordSchema } from "../model/versionRecord";
import { checked } from "../config/problems";

const schema = z.strictObject({
  /** With the registry: `ghcr.io/owner/app`. */
  repository: z.string().regex(/^[^\s@]+\/[^\s@]+$/, "accepted is registry/repository"),
  indexDigest: z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits'),
  /** The version, and its tag in the mirror: what is attested must be about them. */
  version: z.string().min(1),
  tag: z.string().min(1),
  config: attestConfigSchema,
  /** How the version came to be; absent: what is signed about its images is asked. */
  record: versionRecordSchema.optional(),
  /** Manifests the stack's state says it built: ours, signed or not. */
  known: z.array(z.custom<Digest>(isDigest)).default([]),
  /** The index it was completed from, which held what it holds besides images. */
  completed: z.custom<Digest>(isDigest).optional(),
  /** Manifests that were sealed in this very run: all they carry has been verified. */
  sealed: z.array(z.custom<Digest>(isDigest)).default([]),
  /** What every image built for the version has among its labels: one that is signed is of the version they name. */
  labels: z.record(z.string(), z.string()),
  /** Paths of the SPDX documents of images that were made or handed over, by platform. */
  sboms: z.record(z.string(), z.string()).default({}),
  /** When the run began. */
  startedOn: z.iso.datetime(),
  limits: z
    .strictObject({ cosignSeconds: z.number().positive(), totalSeconds: z.number().positive() })
    .default({ cosignSeconds: 90, totalSeconds: 1800 }),
});

/** Everything the runner needs to attest one version. Stored in the state: holds no secret. */
export type AttestPlan = z.output<typeof schema>;
/** An attest plan before its defaults are filled in. */
export type AttestPlanInput = z.input<typeof schema>;

/** Environment variable that carries the plan without its build record, as JSON. */
export const planVariable = "MULTIARCH_MIRROR_ATTEST";

/**
 * Reads a plan from the variable's text, and the build record from that of standard input, which may be empty.
 * They are apart because a repair takes the record from the state, where the run that built the version left it. A record there
 * that has no build records is one of an older version of this program, from which nothing can be stated.
 * @throws Error listing each field at fault by its path.
 */
export function parseAttestPlan(variable: string | undefined, recordText: string): AttestPlan {
  const plan = json(planVariable, variable ?? "");
  const record = recordText.trim() === "" ? undefined : json("standard input", recordText);
  const isKnown = typeof record === "object" && record !== null && "builds" in record;
  const value = { ...(typeof plan === "object" ? plan : {}), ...(isKnown && { record }) };
  return checked(schema, value, "the attestation plan is not valid");
}

function json(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${where} holds no JSON but ${JSON.stringify(text.slice(0, 80))}; it is set by the program`, {
      cause,
    });
  }
}
