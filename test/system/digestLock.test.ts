import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DigestLock } from "../../components/system/digestLock";

const reference = "localhost:5000/app@sha256:0";
const never = new AbortController().signal;
const directory = (): string => mkdtempSync(join(tmpdir(), "digest-lock-"));
const fileOf = (path: string): string => join(path, createHash("sha256").update(reference).digest("hex"));

describe("the lock of a digest", () => {
  it("lets one in at a time, and leaves nothing behind, whether work succeeds or fails", async () => {
    const path = directory();
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      if (most < 0) throw new Error("never");
    };
    await Promise.all(Array.from({ length: 5 }, () => new DigestLock(path).run(reference, never, work)));
    await expect(new DigestLock(path).run(reference, never, () => Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
    expect(most).toBe(1);
    expect(readdirSync(path)).toEqual([]);
  });

  it("is taken over from a process that died", async () => {
    const path = directory();
    writeFileSync(fileOf(path), "999999999");
    expect(await new DigestLock(path).run(reference, never, () => Promise.resolve("done"))).toBe("done");
  });

  it("is not taken from a living process, and waiting ends with the deadline", async () => {
    const path = directory();
    writeFileSync(fileOf(path), String(process.ppid));
    await expect(
      new DigestLock(path).run(reference, AbortSignal.timeout(200), () => Promise.resolve()),
    ).rejects.toThrow(reference);
  });
});
