import { z } from "zod";

/** The parts of the sandbox that stand behind the fault proxy. */
export const sandboxParts = ["registry", "git", "releases", "files"] as const;

/** One part of the sandbox behind the fault proxy. */
export type SandboxPart = (typeof sandboxParts)[number];

const pattern = z.string().refine(isPattern, { error: "not a regular expression" });

const ruleSchema = z.strictObject({
  /** For people reading the rules or their counters. */
  name: z.string().optional(),
  /** Which part; default: all. */
  part: z.enum(sandboxParts).optional(),
  /** Regular expression the whole method must match: `PUT`, `GET|HEAD`. */
  method: pattern.optional(),
  /** Regular expression searched for in path and query, as sent: `^/v2/mirror/.+/manifests/`. */
  path: pattern.optional(),
  /** Let the first n matching requests pass. */
  skip: z.int().min(0).optional(),
  /** Only the n-th matching request (1 is the first), counted after `skip`. */
  nth: z.int().min(1).optional(),
  /** Only every n-th matching request (2: the second, the fourth, …), counted after `skip`. */
  every: z.int().min(1).optional(),
  /** Act so many times, then let everything pass. */
  times: z.int().min(1).optional(),
  /** Wait before anything else. */
  delayMs: z.int().min(0).optional(),
  /** Answer with this status instead of asking the part. */
  status: z.int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** Body of the answer; anything but a string is sent as JSON. */
  body: z.unknown().optional(),
  /** With `status`: the part is asked all the same, so the work is done, and its answer replaced. */
  forward: z.boolean().optional(),
  /**
   * Cut the connection (reset): `request` before anything is forwarded, `response` after the part has done its work but before
   * a byte of the answer, or after so many bytes of either body.
   */
  cut: z
    .union([
      z.enum(["request", "response"]),
      z.strictObject({ requestBytes: z.int().min(0) }),
      z.strictObject({ responseBytes: z.int().min(0) }),
    ])
    .optional(),
  /** Cap both bodies at this speed. */
  bytesPerSecond: z.int().min(1).optional(),
});

/** A rule of the fault proxy: which requests, which of them by count, and what happens to them. */
export type FaultRule = z.infer<typeof ruleSchema>;

/**
 * Reads fault rules, as they come from a JSON file or the control socket.
 * @throws Error that names every faulty field, its value's place, and what is accepted.
 */
export function parseFaultRules(value: unknown): readonly FaultRule[] {
  const parsed = z.array(ruleSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `  ${path.join(".") || "(all)"}: ${message}`);
  throw new Error(`fault rules not accepted; expected is a JSON array of rules:\n${mistakes.join("\n")}`);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
