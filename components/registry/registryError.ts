import type { UnknownCause } from "../model/probe";

/**
 * A registry question without an answer. `kind` tells a probe why; it is never "absent", because an error
 * must not read as "missing". Messages carry no credential and no query string.
 */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly kind: UnknownCause;
  /** HTTP status of the answer, when there was one. */
  readonly status?: number;

  constructor(
    kind: UnknownCause,
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.kind = kind;
    if (options.status !== undefined) this.status = options.status;
  }
}

/** What was asked for by its digest is there, and is no manifest that is read here: asking again changes nothing. */
export class UnreadableManifest extends RegistryError {}

/** What reading gives, and something else where that is an {@link UnreadableManifest}. @throws what reading throws otherwise. */
export async function unlessUnreadable<T, E>(reading: Promise<T>, otherwise: E): Promise<T | E> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UnreadableManifest) return otherwise;
    throw error;
  }
}

const timeouts = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);
/** Trying again does not change a certificate or a wrong configuration. */
const final = /ERR_TLS|ERR_SSL|EPROTO|UND_ERR_INVALID_ARG|ERR_INVALID/;

/** Turns what the HTTP library threw into a typed error, and says whether trying again may help. */
export function networkError(what: string, cause: unknown): { readonly error: RegistryError; readonly retry: boolean } {
  const { code = "", message = String(cause), name = "" } = cause as { code?: string; message?: string; name?: string };
  const detail = `${code} ${message}`.trim();
  if (timeouts.has(code) || name === "TimeoutError") {
    return { error: new RegistryError("timeout", `${what}: ${detail}`, { cause }), retry: true };
  }
  const certificate = isCertificateFault(cause);
  const advice = certificate ? "; a private certificate authority is named by SSL_CERT_FILE" : "";
  return {
    error: new RegistryError("network", `${what}: ${detail}${advice}`, { cause }),
    retry: !certificate && !final.test(code),
  };
}

/** Whether an error of Node's TLS says that the far end's certificate is not trusted, by OpenSSL's and Node's codes. */
export function isCertificateFault(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /CERT|SELF_SIGNED|^UNABLE_TO_/.test(code);
}
