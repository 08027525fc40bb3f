import { z } from "zod";
import { readKept, writeKept } from "../system/placeWhole";
import type { FailureRecord } from "../decide/backoff";
import { safeText } from "../model/safeText";

const failure = z.object({
  count: z.int().min(1),
  last: z.iso.datetime(),
  reason: z.string().max(2000),
  log: z.array(z.string().max(500)).max(30).exactOptional(),
  since: z.iso.datetime().exactOptional(),
});

const schema = z.record(z.string().max(600), failure);

/**
 * Reads the record of failed builds. A file that is absent or malformed is an empty record: it only says what to leave
 * alone for a while, so without it everything is tried.
 */
export function readFailureFile(path: string): FailureRecord {
  return readKept(path, schema) ?? {};
}

/** Writes the record. Reasons become short lines of plain text. */
export async function writeFailureFile(path: string, record: FailureRecord): Promise<void> {
  const entries = Object.entries(record).map(([key, value]) => [key, { ...value, reason: safeText(value.reason) }]);
  await writeKept(path, Object.fromEntries(entries));
}
