import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Child } from "../../../tools/sandbox/child";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "child-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function start(command: string, ...args: readonly string[]): Child {
  return Child.start({ name: "part", command, args, log: join(folder, "log") });
}

const never = (): Promise<boolean> => Promise.resolve(false);

describe("a part's process", () => {
  it("that ends while starting is reported with the end of its log", async () => {
    const child = start("git", "no-such-command");
    await expect(child.ready(never, 10_000)).rejects.toThrow(/part ended while starting.*log:\n.*no-such-command/s);
  });

  it("that is never ready is reported and can still be ended", async () => {
    const child = start("sleep", "60");
    await expect(child.ready(never, 50)).rejects.toThrow("part is not ready after 0.05 s");
    await child.stop("SIGTERM", 5_000);
    expect(child.pid).toBeUndefined();
  });

  it("that does not exist is reported with its name", async () => {
    await expect(start("no-such-program").ready(never, 10_000)).rejects.toThrow("no-such-program");
  });

  it("is killed when it does not end by itself", async () => {
    const child = start(
      process.execPath,
      "-e",
      "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
    );
    await child.ready(() => Promise.resolve(true), 1_000);
    await child.stop("SIGTERM", 300);
    expect(child.pid).toBeUndefined();
  });
});
