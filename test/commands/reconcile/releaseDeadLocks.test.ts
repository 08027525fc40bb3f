import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { releaseDeadLocks } from "../../../commands/reconcile/releaseDeadLocks";

let folder: string;
let locks: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "state-test-"));
  locks = join(folder, ".pulumi", "locks", "organization", "project", "stack");
  await mkdir(locks, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const dead = (): number => spawnSync("true").pid;
const lock = (pid: number, host = hostname()): Promise<void> =>
  writeFile(join(locks, `${pid}.json`), JSON.stringify({ pid, username: "root", hostname: host, timestamp: "" }));
const release = (): Promise<readonly number[]> => releaseDeadLocks(`file://${folder}`);

describe("the lock of a run", () => {
  it("goes when the run is dead", async () => {
    const pid = dead();
    await lock(pid);
    expect(await release()).toEqual([pid]);
    expect(await readdir(locks)).toEqual([]);
  });

  it("goes when the run is dead, and whoever is its parent by now has not asked how it ended", async () => {
    const program = join(folder, "pulumi");
    await copyFile("/bin/sleep", program);
    const parent = spawn("sh", ["-c", `${program} 60 & echo $!; exec sleep 60`]);
    try {
      const [number] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(number.toString());
      await expect.poll(() => readFile(`/proc/${parent.pid}/comm`, "utf8")).toBe("sleep\n");
      await expect.poll(() => readFile(`/proc/${pid}/comm`, "utf8")).toBe("pulumi\n");
      process.kill(pid, "SIGKILL");
      await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8")).toContain("(pulumi) Z");
      await lock(pid);
      expect(await release()).toEqual([pid]);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("goes when its number belongs to another program by now", async () => {
    await lock(process.pid);
    expect(await release()).toEqual([process.pid]);
  });

  it("stays while the run goes on", async () => {
    const program = join(folder, "pulumi");
    await copyFile("/bin/sleep", program);
    const child = spawn(program, ["60"]);
    try {
      await new Promise((resolve) => child.once("spawn", resolve));
      await lock(child.pid ?? 0);
      expect(await release()).toEqual([]);
      expect(await readdir(locks)).toHaveLength(1);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("stays when the run was on another machine, whose processes cannot be seen", async () => {
    await lock(dead(), "elsewhere");
    expect(await release()).toEqual([]);
  });

  it("stays when it cannot be read, and other backends are left alone", async () => {
    await writeFile(join(locks, "broken.json"), "{");
    expect(await release()).toEqual([]);
    expect(await releaseDeadLocks("s3://bucket/folder")).toEqual([]);
    expect(await releaseDeadLocks(`file://${folder}/nowhere`)).toEqual([]);
    expect(await readdir(locks)).toEqual(["broken.json"]);
  });
});
