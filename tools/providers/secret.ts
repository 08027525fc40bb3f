import type { Properties } from "./standIn";

// Pulumi marks special values on the wire with this key; the second constant names secrets among them.
// Source: sdk/go/common/resource/sig of pulumi/pulumi.
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** What the engine sends for a value that is not known before the deployment. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Reads and writes Pulumi's secret wrappers. */
export const secret = {
  /** The same value with every secret wrapper, at any depth, replaced by what it holds. */
  open(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((item) => secret.open(item));
    }
    if (!isRecord(value)) {
      return value;
    }
    if (value[signatureKey] === secretSignature) {
      return secret.open(value["value"]);
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, secret.open(item)]));
  },

  /** `open` for a property bag. */
  openAll(properties: Properties): Properties {
    return Object.fromEntries(Object.entries(properties).map(([key, item]) => [key, secret.open(item)]));
  },

  /** True when a secret is found at any depth. */
  isIn(value: unknown): boolean {
    if (Array.isArray(value)) {
      return value.some((item) => secret.isIn(item));
    }
    return (
      isRecord(value) &&
      (value[signatureKey] === secretSignature || Object.values(value).some((item) => secret.isIn(item)))
    );
  },

  /** Marks a value as secret. */
  wrap(value: unknown): Properties {
    return { [signatureKey]: secretSignature, value };
  },
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
