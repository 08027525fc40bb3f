import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runCommand, type CommandLine } from "../../../tools/providers/runCommand";

const plain: CommandLine = {
  command: "true",
  interpreter: [],
  directory: undefined,
  environment: {},
  stdin: undefined,
  timeout: undefined,
  watch: undefined,
};

afterEach(() => vi.useRealTimers());

describe("runCommand", () => {
  it("returns both streams without their last newline", async () => {
    const command = "printf 'a\\n\\n'; echo b >&2";
    expect(await runCommand({ ...plain, command })).toEqual({ stdout: "a\n", stderr: "b" });
  });

  it("hands over stdin, directory and environment", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "run-command-"));
    const line = { ...plain, command: "cat; pwd; echo $X", stdin: "in\n", directory, environment: { X: "$(id)" } };
    expect((await runCommand(line)).stdout).toBe(`in\n${directory}\n$(id)`);
  });

  it("uses the interpreter given", async () => {
    const line = { ...plain, command: "console.log(1+1)", interpreter: [process.execPath, "-e"] };
    expect((await runCommand(line)).stdout).toBe("2");
  });

  it("fails with the exit status, the command and what was written", async () => {
    const failing = runCommand({ ...plain, command: "echo out; echo oops >&2; exit 3" });
    await expect(failing).rejects.toThrow(/^exit status 3: running "echo out; .*":\n(out\noops|oops\nout)\n$/);
  });

  it("fails with the status of a signal that ended the command", async () => {
    await expect(runCommand({ ...plain, command: "kill -KILL $$" })).rejects.toThrow("exit status 137");
  });

  it("fails when the interpreter does not exist", async () => {
    await expect(runCommand({ ...plain, interpreter: ["/nowhere/sh"] })).rejects.toThrow("ENOENT");
  });

  it("does not mind a command that never reads its input", async () => {
    expect((await runCommand({ ...plain, stdin: "x".repeat(1_000_000) })).stdout).toBe("");
  });

  it("kills on time-out what the command started, too", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "run-command-"));
    const file = path.join(folder, "pid");
    const command = `sleep 600 & echo $! > ${file}; wait`;
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const failed = expect(runCommand({ ...plain, command, timeout: 500 })).rejects.toThrow("timed out after 500 ms");
    await expect.poll(() => readFile(file, "utf8").catch(() => "")).toMatch(/^\d+\n$/);
    vi.advanceTimersByTime(1_000);
    await failed;
    await expectGone(Number(await readFile(file, "utf8")));
  });

  it("ends everything that runs when told to", async () => {
    const running = runCommand({ ...plain, command: "sleep 600 & sleep 600" });
    runCommand.endAll();
    await expect(running).rejects.toThrow("the command was stopped");
  });
});

async function expectGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(1);
  await expect
    .poll(() =>
      readFile(`/proc/${pid}/stat`, "utf8").then(
        (line) => /\) (\w)/.exec(line)?.[1] ?? "",
        () => "gone",
      ),
    )
    .toMatch(/^(gone|Z|X)$/);
}
