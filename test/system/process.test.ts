import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { outputOf, type ProcessOptions, runProcess } from "../../components/system/process";

const limitMs = 120_000;
const shell = (script: string, options: Partial<ProcessOptions> = {}) =>
  runProcess("sh", ["-c", script], { limitMs, ...options });

async function expectGone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isAlive(pid)).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("running a process", () => {
  it("gives status and output, a failing status too", async () => {
    expect(await shell("echo out; echo err >&2; exit 3")).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
    expect(await shell("kill -KILL $$")).toMatchObject({ status: 128 + 9 });
  });

  it("passes arguments on as they are, past any shell", async () => {
    const hostile = ["$(touch canary)", "`id`", "; exit 9", "a b", "*"];
    const script = "console.log(JSON.stringify(process.argv.slice(1)))";
    expect(JSON.parse(await outputOf(process.execPath, ["-e", script, ...hostile], { limitMs }))).toEqual(hostile);
  });

  it("gives the input to read, and without one nothing to wait for", async () => {
    expect(await shell("cat", { input: "text" })).toMatchObject({ stdout: "text" });
    expect(await shell("cat; echo end")).toMatchObject({ stdout: "end\n" });
    expect(await shell("exit 4", { input: "x".repeat(1_000_000) })).toMatchObject({ status: 4 });
  });

  it("keeps bytes apart, and characters that arrive in pieces together", async () => {
    const { stdout } = await shell("printf '\\303'; printf '\\251\\377'", { encoding: "latin1" });
    expect(stdout).toBe("\u00c3\u00a9\u00ff");
    expect(await shell("printf '\\303'; sleep 0.05; printf '\\251'")).toMatchObject({ stdout: "é" });
  });

  it("tells lines as they come", async () => {
    const lines: string[] = [];
    await shell("echo one; printf two; echo three >&2", { onLine: (line, stream) => lines.push(`${stream} ${line}`) });
    expect(lines.toSorted()).toEqual(["stderr three", "stdout one", "stdout two"]);
  });

  it("stops one that runs too long or writes too much", async () => {
    await expect(runProcess("sleep", ["600"], { limitMs: 50 })).rejects.toMatchObject({
      kind: "time",
      message: "sleep 600 took longer than 0.05 s",
    });
    await expect(runProcess("yes", [], { limitMs, outputLimit: 5000 })).rejects.toMatchObject({ kind: "output" });
  });

  it("kills what will not stop, with its children and whoever holds its output", async () => {
    const stop = new AbortController();
    let [child, holder] = [0, 0];
    // A shell, because it starts at once however busy the machine is.
    const deaf = "trap '' TERM; setsid sleep 600 & echo \\$\\$ \\$!; while :; do sleep 1; done";
    const running = shell(`sh -c "${deaf}" & trap '' TERM; wait`, {
      signal: stop.signal,
      graceMs: 50,
      onLine: (line) => {
        [child = 0, holder = 0] = line.split(" ").map(Number);
        stop.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ kind: "abort" });
    await expectGone(child);
    process.kill(holder, "SIGKILL");
    await expect(shell("exit", { signal: stop.signal })).rejects.toMatchObject({ kind: "abort" });
  });

  it("ends what a process left running", async () => {
    const { stdout } = await shell("sleep 600 & echo $!");
    await expectGone(Number(stdout));
  });

  it.each(["SIGKILL", "SIGINT"] as const)("ends with this process, also by %s", async (signal) => {
    const root = resolve(__dirname, "..", "..");
    const parent = spawn(process.execPath, ["tools/run.cjs", "test/system/processParent.ts"], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const [text] = (await once(parent.stdout, "data")) as [Buffer];
    const child = Number(text.toString());
    expect(isAlive(child)).toBe(true);
    process.kill(-parent.pid!, signal);
    await expectGone(child);
  });

  it("says what cannot be started, and how one ended that should have succeeded", async () => {
    await expect(runProcess("no-such-tool", [], { limitMs })).rejects.toMatchObject({
      kind: "start",
      message: expect.stringContaining("no-such-tool") as string,
    });
    await expect(outputOf("sh", ["-c", "echo why >&2; exit 3"], { limitMs })).rejects.toMatchObject({
      kind: "status",
      message: "sh -c ended with status 3: why",
    });
  });
});
