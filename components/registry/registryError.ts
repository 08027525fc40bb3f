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
