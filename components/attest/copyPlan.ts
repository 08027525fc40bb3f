import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import { checked } from "../config/problems";

const repository = z.string().regex(/^[^\s@]+\/[^\s@]+$/, "accepted is registry/repository");
const digest = z.custom<Digest>(isDigest, 'accepted is "sha256:" and 64 lower-case hex digits');

const schema = z.strictObject({
  from: repository,
  to: repository,
  digests: z.array(digest).min(1),
  /** Of the version's index: what makes the command wait for it. */
  indexDigest: digest,
  /** When the run began. */
  startedOn: z.iso.datetime(),
});

/** Everything the runner needs to copy the referrers of one version. Stored in the state: holds no secret. */
export type CopyPlan = z.output<typeof schema>;

/** Environment variable that carries the plan as JSON. */
export const copyPlanVariable = "MULTIARCH_MIRROR_REFERRERS";

/** Reads a plan from the variable's text. @throws Error listing each field at fault by its path. */
export function parseCopyPlan(variable: string | undefined): CopyPlan {
  let value: unknown;
  try {
    value = JSON.parse(variable ?? "");
  } catch (cause) {
    throw new Error(`${copyPlanVariable} holds no JSON; it is set by the program`, { cause });
  }
  return checked(schema, value, "the plan of referrers to copy is not valid");
}
