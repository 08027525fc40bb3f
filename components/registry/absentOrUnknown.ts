import { RegistryError } from "./registryError";
import type { TransportAnswer } from "./transport";
import { z } from "zod";

const longestQuote = 200;

/** The error for an answer that was not the one asked for when reading or writing, with the registry's own words, escaped and cut short. */
export function answerError(what: string, answer: TransportAnswer, asked: "read" | "write" = "read"): RegistryError {
  const { status } = answer;
  const denied = status === 401 || status === 403 || status === 407;
  const kind = denied ? "authorisation" : status === 429 ? "rate-limited" : status >= 500 ? "outage" : "malformed";
  const codes = parseErrorCodes(answer.body);
  const said = codes.map(({ code, message }) => `${code}: ${message}`).join("; ") || answer.body.toString("utf8");
  const quote = !answer.direct
    ? `what ${answer.origin} says, to which it redirected`
    : said === ""
      ? "nothing more"
      : JSON.stringify(said.slice(0, longestQuote));
  const advice = denied ? `; log in with docker login, or check what the credentials may ${asked}` : "";
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

/** Codes by which a registry says that it will not answer, whatever the status beside them. */
const refusals = new Set(["UNAUTHORIZED", "DENIED", "TOOMANYREQUESTS", "UNSUPPORTED", "401", "403", "429"]);

/**
 * Whether an answer says that there is no such manifest: 404 with a registry's error body, none of whose codes is a refusal.
 * Registries have names of their own for it (Harbor `NOT_FOUND`, Quay `TAG_EXPIRED`) or none. A 404 without such a body may
 * come from anything on the way. See `docs/registries.md`.
 */
export function isAbsence({ status, body }: Pick<TransportAnswer, "status" | "body">): boolean {
  if (status !== 404) return false;
  const codes = parseErrorCodes(body);
  return codes.length > 0 && codes.every(({ code }) => !refusals.has(code.toUpperCase()));
}
