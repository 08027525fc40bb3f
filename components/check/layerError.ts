import type { Digest } from "../model/digest";
import { reasonOf } from "../model/reasonOf";

/** A layer could not be read: its transfer failed, which may pass, or its content is damaged, which will not. */
export class LayerError extends Error {
  override readonly name = "LayerError";

  constructor(
    layer: Digest,
    readonly kind: "transfer" | "damaged",
    cause: unknown,
  ) {
    const reason = JSON.stringify(reasonOf(cause));
    super(`layer ${layer} ${kind === "transfer" ? "could not be read from the registry" : "is damaged"}: ${reason}`, {
      cause,
    });
  }
}
