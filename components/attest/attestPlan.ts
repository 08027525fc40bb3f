import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import { attestConfigSchema } from "../config/attestConfig";
import { buildRecordSchema } from "../model/buildRecord";
import { checked } from "../config/problems";

const schema = z.strictObject({
  /** With the registry: `ghcr.io/owner/app`. */
  repository: z.string().regex(/^[^\s@]+\/[^\s@]+$/, "accepted is registry/repository"),
  indexDigest: z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits'),
  config: attestConfigSchema,
  /** How the version came to be; absent when nobody here saw it, and then no provenance is written. */
  record: buildRecordSchema.optional(),
  /** Whether the version was built in the run that attests it: then the build ends now. */
  builtNow: z.boolean(),
  /** When the run began. */
  startedOn: z.iso.datetime(),
  limits: z
    .strictObject({
      cosignSeconds: z.number().positive(),
      syftSeconds: z.number().positive(),
      totalSeconds: z.number().positive(),
    })
    .default({ cosignSeconds: 90, syftSeconds: 900, totalSeconds: 1800 }),
});

/** Everything the runner needs to attest one version. Stored in the state: holds no secret. */
export type AttestPlan = z.output<typeof schema>;
/** An attest plan before its defaults are filled in. */
export type AttestPlanInput = z.input<typeof schema>;

/** Environment variable that carries the plan without its build record, as JSON. */
export const planVariable = "MULTIARCH_MIRROR_ATTEST";

/**
 * Reads a plan from the variable's text, and the build record from that of standard input, which may be empty.
 * They are apart because a repair takes the record from the state, where the run that built the version left it.
 * @throws Error listing each field at fault by its path.
 */
export function parseAttestPlan(variable: string | undefined, recordText: string): AttestPlan {
  const plan = json(planVariable, variable ?? "");
  const record = recordText.trim() === "" ? undefined : json("standard input", recordText);
  const value = { ...(typeof plan === "object" ? plan : {}), ...(record !== undefined && { record }) };
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
