import { z } from "zod";
import type { Probe, UnknownCause } from "../model/probe";
import { RegistryError } from "./registryError";
import type { TransportAnswer } from "./transport";

/** What an answer says of the manifest it was asked for: it is there, there is none, or neither, and why: unknown. */
export type Verdict = "present" | "absent" | UnknownCause;

/**
 * The one place that says what counts as absent. See `docs/registries.md`, and `probe/probeTag.ts` for the one exception.
 *
 * | status                                                      | verdict                 |
 * | ----------------------------------------------------------- | ----------------------- |
 * | 200                                                         | present                 |
 * | 404 with a registry's error body that is no refusal         | absent                  |
 * | 401, 403, 407                                               | unknown (authorisation) |
 * | 429                                                         | unknown (rate-limited)  |
 * | 500 and above                                               | unknown (outage)        |
 * | any other, also a 404 with a refusal or without such a body | unknown (malformed)     |
 */
export function verdictOf({ status, body }: Pick<TransportAnswer, "status" | "body">): Verdict {
  if (status === 200) return "present";
  return status === 404 && saysAbsent(body) ? "absent" : causeOf(status);
}

/** What a question that ended in trouble says of a reference: it is unknown. @throws the error itself, when it is no registry's. */
export function unknownProbe(error: unknown): Extract<Probe, { readonly state: "unknown" }> {
  if (!(error instanceof RegistryError)) throw error;
  return { state: "unknown", cause: error.kind, reason: error.message };
}

const denials = [401, 403, 407];

function causeOf(status: number): UnknownCause {
  if (denials.includes(status)) return "authorisation";
  return status === 429 ? "rate-limited" : status >= 500 ? "outage" : "malformed";
}

/** Codes by which a registry says that it will not answer, whatever the status beside them. */
const refusals = new Set(["UNAUTHORIZED", "DENIED", "TOOMANYREQUESTS", "UNSUPPORTED", "401", "403", "429"]);

/**
 * Whether the body of a 404 is a registry's own. Registries have names of their own for what is not there (Harbor `NOT_FOUND`, Quay
 * `TAG_EXPIRED`) or none. One without such a body may come from anything on the way.
 */
function saysAbsent(body: Buffer): boolean {
  const codes = parseErrorCodes(body);
  return codes.length > 0 && codes.every(({ code }) => !refusals.has(code.toUpperCase()));
}

const longestQuote = 200;

/** The error for an answer that was not the one asked for when reading or writing, with the registry's own words, escaped and cut short. */
export function answerError(what: string, answer: TransportAnswer, asked: "read" | "write" = "read"): RegistryError {
  const { status } = answer;
  const codes = parseErrorCodes(answer.body);
  const said = codes.map(({ code, message }) => `${code}: ${message}`).join("; ") || answer.body.toString("utf8");
  const quote = !answer.direct
    ? `what ${answer.origin} says, to which it redirected`
    : said === ""
      ? "nothing more"
      : JSON.stringify(said.slice(0, longestQuote));
  const kind = causeOf(status);
  const advice =
    kind === "authorisation" ? `; log in with docker login, or check what the credentials may ${asked}` : "";
  const strange = status === 404 && codes.length === 0 ? " without a registry's error body" : "";
  return new RegistryError(kind, `cannot ${asked} ${what}: status ${status}${strange}, saying ${quote}${advice}`, {
    status,
  });
}

const bodySchema = z.object({
  errors: z
    .array(z.object({ code: z.union([z.string(), z.number()]).nullish(), message: z.string().nullish() }))
    .min(1),
});

/** One entry of a registry's error body. Both are the registry's own text: escape them before printing. */
export interface ErrorCode {
  /** Empty where the registry gives none, as Artifactory does. */
  readonly code: string;
  readonly message: string;
}

/**
 * The entries of an error body in the form of the distribution specification ("Error Codes"); none when the body
 * is anything else, such as a proxy's HTML page.
 */
export function parseErrorCodes(body: Buffer): readonly ErrorCode[] {
  try {
    const { errors } = bodySchema.parse(JSON.parse(body.toString("utf8")));
    return errors.map(({ code, message }) => ({ code: String(code ?? ""), message: message ?? "" }));
  } catch {
    return [];
  }
}
