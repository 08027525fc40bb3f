import type * as pulumi from "@pulumi/pulumi";

/** How an Output ended. `unknown`: it has no value in this run (a preview, or its resource failed and the run goes on). */
export type Settled<T> =
  | { readonly state: "known"; readonly value: T }
  | { readonly state: "unknown" }
  | { readonly state: "failed"; readonly error: unknown };

/** The two members of every Output that tell how it ended. The SDK has them but leaves them out of its declarations. */
interface Settleable<T> {
  promise(withUnknowns?: boolean): Promise<T>;
  readonly isKnown: Promise<boolean>;
}

/**
 * Waits for an Output without ever rejecting. `apply` cannot serve here: it is never called for an Output that failed
 * or is unknown, and an Output that rejects takes all stack outputs with it.
 */
export async function settle<T>(output: pulumi.Output<T>): Promise<Settled<T>> {
  const inner = output as unknown as Settleable<T>;
  try {
    const [value, known] = await Promise.all([inner.promise(), inner.isKnown]);
    // Where a provider leaves a property out, there is nothing to go on either.
    return known && value !== undefined ? { state: "known", value } : { state: "unknown" };
  } catch (error) {
    return { state: "failed", error };
  }
}
