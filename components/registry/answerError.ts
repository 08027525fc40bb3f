import { parseErrorCodes } from "./errorCodes";
import { RegistryError } from "./registryError";
import type { TransportAnswer } from "./transport";

const longestQuote = 200;

/** The error for an answer that was not the one asked for, with the registry's own words, escaped and cut short. */
export function answerError(what: string, answer: TransportAnswer): RegistryError {
  const { status } = answer;
  const denied = status === 401 || status === 403 || status === 407;
  const kind = denied ? "authorisation" : status === 429 ? "rate-limited" : status >= 500 ? "outage" : "malformed";
  const codes = parseErrorCodes(answer.body);
  const said = codes.map(({ code, message }) => `${code}: ${message}`).join("; ") || answer.body.toString("utf8");
  const quote = said === "" ? "nothing more" : JSON.stringify(said.slice(0, longestQuote));
  const advice = denied ? "; log in with docker login, or check what the credentials may read" : "";
  const strange = status === 404 && codes.length === 0 ? " without a registry's error code" : "";
  return new RegistryError(kind, `cannot read ${what}: status ${status}${strange}, saying ${quote}${advice}`, {
    status,
  });
}
