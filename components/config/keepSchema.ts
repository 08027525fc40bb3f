import { z } from "zod";
import type { Keep } from "../model/appSpecification";
import { delegate, fields, integer, isRecord, type Schema } from "./schemaParts";

/** GitHub lists at most this many releases, so a larger window could never be filled. */
const most = 1000;

const perLine = fields("a window with lines", {
  latest: integer(1, most),
  perMinor: integer(1, most).optional(),
  minors: integer(1, most).optional(),
});

/** Reads `keep`: how many of the highest versions, and, if wanted, how many of each of the highest minor lines. */
export const keepSchema: Schema<Keep> = z.unknown().transform((value, context): Keep => {
  if (!isRecord(value)) {
    const result = integer(1, most).safeParse(value);
    if (result.success) return result.data;
    const message = `accepted is an integer from 1 to ${most}, or a map of latest, perMinor and minors`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
  if ((value["perMinor"] === undefined) !== (value["minors"] === undefined)) {
    context.addIssue({ code: "custom", message: "perMinor and minors need one another: give both or neither" });
  }
  return delegate(perLine, value, context) as Keep;
});
