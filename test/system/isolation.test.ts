import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Isolation, IsolationError } from "../../components/system/isolation";
import { until } from "../faults/support/until";

const program = `
  const told = [];
  const jobs = {
    told: () => told,
    number: () => process.pid,
    spin: () => { for (;;); },
    hoard: () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); },
    leave: () => process.exit(3),
    fail: () => { throw new Error("it is wrong"); },
    wait: () => new Promise((resolve) => setTimeout(resolve, 200)),
  };
  process.on("disconnect", () => process.exit());
  process.on("message", async ({ job: [file, job], input }) => {
    told.push([file, job]);
    try { process.send({ value: job && (await jobs[job](input)) }); } catch (error) { process.send({ problem: error.message }); }
  });`;

let folder: string;
let isolation: Isolation;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isolation-"));
  writeFileSync(join(folder, "program.cjs"), program);
  isolation = new Isolation(join(folder, "program.cjs"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function run<T>(job: string, options: { readonly owner?: string; readonly limitMs?: number } = {}): Promise<T> {
  const { owner = "app", limitMs = 60_000 } = options;
  return isolation.run<T>({ owner, job: ["x.ts", job], input: undefined, limitMs });
}

describe("work in a process of its own", () => {
  it("is done in one process after the other, started when it is needed", async () => {
    const first = await run<number>("number");
    expect(first).not.toBe(process.pid);
    expect(await run<number>("number")).toBe(first);
  });

  it("finds a process that was made ready for it, and has loaded the file", async () => {
    await isolation.ready("app", "x.ts");
    expect(await run("told")).toEqual([
      ["x.ts", undefined],
      ["x.ts", "told"],
    ]);
  });

  it("tells itself what kept a process from being made ready", async () => {
    rmSync(join(folder, "program.cjs"));
    await isolation.ready("app", "x.ts");
    await expect(run("number")).rejects.toThrow(IsolationError);
  });

  it("fails with its own words, which ends no process", async () => {
    const before = await run<number>("number");
    await expect(run("fail")).rejects.toThrow("it is wrong");
    expect(await run<number>("number")).toBe(before);
  });

  it.each([
    ["takes too long", "spin", 1_000, /ended after 1 s, the most it may take/],
    ["takes too much memory", "hoard", 60_000, /ended by itself \(.*it may take 1024 MB of memory/],
    ["ends its process", "leave", 60_000, /ended by itself \(status 3\)/],
  ])("that %s fails, and the next work is done", async (_case, job, limitMs, said) => {
    const failure = await run(job, { limitMs }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IsolationError);
    expect((failure as Error).message).toMatch(said);
    expect(await run<number>("number")).toBeGreaterThan(0);
  });

  it("of one owner leaves room for that of another, however much of it there is", async () => {
    const stuck = Array.from({ length: 6 }, () => run("spin", { owner: "bad", limitMs: 3_000 }).catch(() => "ended"));
    let ended = false;
    void Promise.all(stuck).then(() => (ended = true));
    expect(await run<number>("number", { owner: "good" })).toBeGreaterThan(0);
    expect(ended).toBe(false);
    expect(await Promise.all(stuck)).toEqual(Array.from({ length: 6 }, () => "ended"));
  });

  it("is gone when it was ended", async () => {
    const number = await run<number>("number");
    await run("spin", { limitMs: 500 }).catch(() => undefined);
    await until("the process ends", () => !isAlive(number));
  });
});

function isAlive(number: number): boolean {
  try {
    return process.kill(number, 0);
  } catch {
    return false;
  }
}
