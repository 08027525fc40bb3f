import { z } from "zod";
import { type Digest, isDigest } from "../plan/digest";
import { attestConfigSchema } from "./attestConfig";
import { buildRecordSchema } from "./buildRecord";
import { describeIssues } from "./describeIssues";

const schema = z.strictObject({
  /** With the registry: `ghcr.io/owner/app`. */
  repository: z.string().regex(/^[^\s@]+\/[^\s@]+$/, "accepted is registry/repository"),
  indexDigest: z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits'),
  config: attestConfigSchema,
  /** How the version came to be; absent when nobody here saw it, and then no provenance is written. */
  record: buildRecordSchema.optional(),
  /** Whether the version was built in the run that attests it: then the build ends now. */
  builtNow: z.boolean(),
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

/** Reads a plan from JSON text. @throws Error listing each field at fault by its path. */
export function parseAttestPlan(json: string): AttestPlan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new Error(`the attestation plan on standard input is not JSON: ${JSON.stringify(json.slice(0, 80))}`, {
      cause,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`the attestation plan is not valid: ${describeIssues(result.error, value)}`);
}
