import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runTool } from "../../components/system/process";

const directory = mkdtempSync(join(tmpdir(), "tool-process-"));
const options = { environment: process.env, directory, limitMs: 20_000 };
afterEach(() => rmSync(join(directory, "pid"), { force: true }));

const node = (script: string) => runTool(process.execPath, ["-e", script], options);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("running a tool", () => {
  it("gives status and output, a failing status too", async () => {
    expect(await node("console.log('out'); console.error('err'); process.exit(3)")).toEqual({
      status: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  it("passes arguments on as they are, past any shell", async () => {
    const hostile = ["$(touch canary)", "`id`", "; exit 9", "a b", "*"];
    const { stdout } = await runTool(
      process.execPath,
      ["-e", "console.log(JSON.stringify(process.argv.slice(1)))", ...hostile],
      options,
    );
    expect(JSON.parse(stdout)).toEqual(hostile);
  });

  it("gives no standard input to wait for", async () => {
    expect(await node("process.stdin.resume().on('end', () => console.log('end'))")).toMatchObject({ stdout: "end\n" });
  });

  it("kills a tool that runs too long, with its children, even those that ignore a polite request", async () => {
    // A shell, because it starts at once however busy the machine is.
    const child = 'trap "" TERM; echo $$ > pid; while :; do sleep 1; done';
    const parent = `sh -c '${child}' & wait`;
    await expect(runTool("sh", ["-c", parent], { ...options, limitMs: 1500 })).rejects.toThrow(
      /took longer than 1.5 s/,
    );
    const pid = Number(readFileSync(join(directory, "pid"), "utf8"));
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  });

  it("says which tool cannot be started", async () => {
    await expect(runTool("no-such-tool", [], options)).rejects.toThrow(/no-such-tool/);
  });
});
