import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../system/lock";

/**
 * Writes to a digest while no other process of this machine and user does. Registries without the referrers API keep one
 * list per digest that every writer reads, changes and puts back, so that of two at once one loses its entry.
 * Writers on other machines are not excluded: look again after writing.
 * @throws Error when the digest is not free before the deadline.
 */
export function withDigest<T>(reference: string, deadline: AbortSignal, write: () => Promise<T>): Promise<T> {
  const name = createHash("sha256").update(reference).digest("hex");
  const path = join(tmpdir(), `multiarch-mirror-${process.getuid?.() ?? "user"}`, "digests", name);
  return withLock(path, { what: reference, deadline }, write);
}
