import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { lockHolder, processIdentity, takeLock, withLock } from "../../components/system/lock";

const root = resolve(__dirname, "..", "..");
const newFolder = (): string => mkdtempSync(join(tmpdir(), "lock-"));
const newLock = (): string => join(newFolder(), "sub", "lock");
const done = (): Promise<string> => Promise.resolve("done");

/** A lock as somebody with this identity would have left it. */
function leave(lock: string, identity: string): string {
  mkdirSync(lock, { recursive: true });
  const file = join(lock, `${identity}.1`);
  writeFileSync(file, "");
  return file;
}

describe("a lock", () => {
  it("lets one in at a time, tells the others once that they wait, and leaves nothing behind", async () => {
    const lock = newLock();
    const seen: number[] = [];
    let inside = 0;
    let waited = 0;
    const enter = (): Promise<void> =>
      withLock(lock, { what: "it", waiting: () => waited++ }, async () => {
        seen.push(++inside);
        await new Promise((then) => setTimeout(then, 5));
        inside--;
      });
    await Promise.all([enter(), enter(), enter(), enter(), enter()]);
    expect(seen).toEqual([1, 1, 1, 1, 1]);
    expect(waited).toBe(4);
    await expect(withLock(lock, { what: "it" }, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(readdirSync(join(lock, ".."))).toEqual([]);
  });

  it("is not taken from a living process, whose number the message has when waiting ends", async () => {
    const lock = newLock();
    leave(lock, processIdentity(process.ppid)!);
    expect(lockHolder(lock)).toBe(process.ppid);
    await expect(withLock(lock, { what: "the digest", deadline: AbortSignal.timeout(1) }, done)).rejects.toThrow(
      `the digest is still in use by process ${process.ppid}`,
    );
  });

  it.each([
    ["a process that is gone", (own: string) => own.replace(/-\d+-(\d+)$/, "-4999999-$1")],
    ["an earlier process of the same number", (own: string) => own.replace(/\d+$/, "7")],
    ["a process before the machine was started again", (own: string) => own.replace(/^[^-]+/, "beef")],
  ])("is taken over from %s", async (_, changed) => {
    const lock = newLock();
    leave(lock, changed(processIdentity(process.ppid)!));
    expect(lockHolder(lock)).toBeUndefined();
    expect(await withLock(lock, { what: "it" }, done)).toBe("done");
  });

  it("of a process nobody here can see is believed for two hours", () => {
    const lock = newLock();
    const file = leave(lock, processIdentity(process.pid)!.replace(/-\d+-/, "-1-"));
    expect(takeLock(lock)).toBeUndefined();
    const before = Date.now() / 1000 - 2 * 60 * 60;
    utimesSync(file, before + 60, before + 60);
    expect(takeLock(lock)).toBeUndefined();
    utimesSync(file, before - 1, before - 1);
    expect(takeLock(lock)).toBeDefined();
  });

  it("of a dead process goes to one of many, however they come together", async () => {
    const [folder, rounds, contenders] = [newFolder(), 60, 6];
    const start = (...name: readonly string[]) =>
      spawn(process.execPath, ["tools/run.cjs", "test/system/lockContender.ts", folder, `${rounds}`, ...name], {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
        detached: true,
      });
    const holder = start();
    await once(holder.stdout, "data");
    process.kill(-holder.pid!, "SIGKILL");
    await once(holder, "exit");
    const running = Array.from({ length: contenders }, (_, name) => start(`${name}`, `${contenders}`));
    const ends = running.map(async (child) => {
      const [report, [status]] = await Promise.all([text(child.stdout), once(child, "exit") as Promise<[number]>]);
      return { report, status };
    });
    expect(await Promise.all(ends)).toEqual(running.map(() => ({ report: "", status: 0 })));
    expect(readdirSync(join(folder, "locks"))).toEqual([]);
  });
});
