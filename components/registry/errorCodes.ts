import { z } from "zod";

const bodySchema = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1),
});

/** One entry of a registry's error body. Both are the registry's own text: escape them before printing. */
export interface ErrorCode {
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
    return errors.map(({ code, message }) => ({ code, message: message ?? "" }));
  } catch {
    return [];
  }
}
