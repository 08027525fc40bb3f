import { mkdtemp, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { withFileLock } from "../../../tools/toolchain/fileLock";

async function lockFile(): Promise<string> {
  return path.join(await mkdtemp(path.join(tmpdir(), "file-lock-")), "sub", "a.lock");
}

describe("withFileLock", () => {
  it("lets one in at a time, and tells the others once that they wait", async () => {
    const file = await lockFile();
    const events: string[] = [];
    let waited = 0;
    const enter = (name: string) =>
      withFileLock(
        file,
        () => (waited += 1),
        async () => {
          events.push(`${name} in`);
          await wait(50);
          events.push(`${name} out`);
        },
      );
    await Promise.all([enter("a"), enter("b"), enter("c")]);
    expect(events).toHaveLength(6);
    for (const [index, event] of events.entries()) {
      expect(event.endsWith(index % 2 === 0 ? "in" : "out")).toBe(true);
      expect(event[0]).toBe(events[index - (index % 2)]?.[0]);
    }
    expect(waited).toBe(2);
  });

  it("leaves nothing behind, after a failure either", async () => {
    const file = await lockFile();
    await expect(
      withFileLock(
        file,
        () => undefined,
        () => Promise.reject(new Error("no luck")),
      ),
    ).rejects.toThrow("no luck");
    expect(await readdir(path.dirname(file))).toEqual([]);
  });

  it("takes over from a process that died", async () => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), "file-lock-")), "a.lock");
    await writeFile(file, "somebody");
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    expect(
      await withFileLock(
        file,
        () => undefined,
        () => Promise.resolve("in"),
      ),
    ).toBe("in");
  });
});
