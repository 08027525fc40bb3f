import type { LoggedRequest } from "../../tools/sandbox/requestLog";

/** What requests ask for: the first that matches a path. */
const kinds = [
  ["uploads of blobs", (method: string, path: string) => method !== "HEAD" && path.includes("/blobs/uploads")],
  ["looks for blobs", (method: string, path: string) => method === "HEAD" && path.includes("/blobs/")],
  ["reads of blobs", (_: string, path: string) => path.includes("/blobs/")],
  ["writes of manifests", (method: string, path: string) => method === "PUT" && path.includes("/manifests/")],
  ["looks for manifests", (method: string, path: string) => method === "HEAD" && path.includes("/manifests/")],
  ["reads of manifests", (_: string, path: string) => path.includes("/manifests/")],
  ["others", () => true],
] as const;

/** The number of requests, and what they were for: `684: 240 uploads of blobs, …`. */
export function countRequests(log: readonly Pick<LoggedRequest, "method" | "path">[]): string {
  const counts = new Map<string, number>();
  for (const { method, path } of log) {
    const name = kinds.find(([, matches]) => matches(method, path))?.[0] ?? "others";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].toSorted(([, left], [, right]) => right - left).map(([name, count]) => `${count} ${name}`);
  return `${log.length}: ${parts.join(", ")}`;
}
