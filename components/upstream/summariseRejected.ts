import type { RejectedTag } from "../plan/release";
import { disarmed, printable } from "./printable";

/**
 * Lines that tell an operator which upstream tags were turned away: one per tag, up to `limit`, then one that counts the rest by reason.
 * Every line is safe to print; see `printable`.
 */
export function summariseRejected(rejected: readonly RejectedTag[], limit = 20): readonly string[] {
  const lines = rejected.slice(0, limit).map(({ tag, reason }) => `rejected ${printable(tag)}: ${plain(reason)}`);
  const rest = rejected.slice(limit);
  if (rest.length === 0) return lines;
  const counts = new Map<string, number>();
  for (const { reason } of rest) {
    // The reason for a duplicate names another tag; counted by its first words, the list stays short.
    const kind = plain(reason.replace(/^(same version as tag) .*/s, "$1 another"));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const byReason = [...counts].toSorted((left, right) => right[1] - left[1]);
  const shown = byReason.slice(0, 10).map(([reason, count]) => `${count} ${reason}`);
  return [...lines, `rejected ${rest.length} more: ${shown.join("; ")}${byReason.length > 10 ? "; ..." : ""}`];
}

/** Reasons are our own words, but may quote a tag. */
function plain(reason: string): string {
  return disarmed(reason.slice(0, 200));
}
