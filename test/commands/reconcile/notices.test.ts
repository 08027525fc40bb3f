import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noticesOf, readTold, type Told } from "../../../commands/reconcile/notices";
import type { RunResult } from "../../../commands/reconcile/result";
import { writeKept } from "../../../components/system/placeWhole";

const row = (version: string, outcome: string, reason?: string): RunResult["versions"][number] => ({
  ...{ app: "app", version, outcome },
  complete: ["published", "repaired", "adopted", "unchanged"].includes(outcome),
  ...(reason !== undefined && { reason }),
});
const result = (versions: RunResult["versions"], over: Partial<RunResult> = {}): RunResult => ({
  ...{ stack: "prod", good: true, whole: true, apps: [{ app: "app", problems: [] }], versions },
  ...over,
});
const tell = (run: RunResult, before: Told = {}) => noticesOf(run, before);

describe("what is told of a run", () => {
  it("is a failure once, again when what is missing or why changes, and the recovery once", () => {
    const failing = result([row("1.1.0", "missing", "no space"), row("1.0.0", "unchanged")]);
    const first = tell(failing);
    expect(first.notices).toEqual([
      { event: "failure", app: "app", title: "app is not complete (prod)", lines: ["1.1.0: no space"] },
    ]);
    expect(tell(failing, first.told).notices).toEqual([]);
    const waits = { ...row("1.1.0", "waiting", "not tried before …"), lastFailure: "no space" };
    expect(tell(result([waits]), first.told).notices).toEqual([]);
    const other = tell(result([row("1.1.0", "missing", "exit code: 1")]), first.told);
    expect(other.notices).toMatchObject([{ event: "failure", lines: ["1.1.0: exit code: 1"] }]);
    const whole = tell(result([row("1.1.0", "adopted")]), other.told);
    expect(whole.notices).toEqual([
      { event: "recovery", app: "app", title: "app is complete again (prod)", lines: [] },
    ]);
    expect(tell(result([row("1.1.0", "adopted")]), whole.told)).toEqual({ notices: [], told: {} });
  });

  it("is every publication", () => {
    const { notices } = tell(result([row("1.1.0", "published"), row("1.0.0", "repaired"), row("0.9.0", "adopted")]));
    expect(notices).toEqual([
      {
        ...{ event: "publication", app: "app", title: "app published 2 versions (prod)" },
        lines: ["1.1.0: published", "1.0.0: repaired"],
      },
    ]);
  });

  it("is nothing of what waits for upstream, or of images that wait for other platforms", () => {
    const waits = [row("1.1.0", "waiting", "it waits for linux/arm64"), row("1.0.0", "built")];
    expect(tell(result(waits))).toEqual({ notices: [], told: {} });
  });

  it("is a problem of the app, and no recovery by a run that was asked for part of the work or for other apps", () => {
    const { told, notices } = tell(result([], { apps: [{ app: "app", problems: ["discovery failed"] }] }));
    expect(notices).toMatchObject([{ event: "failure", lines: ["discovery failed"] }]);
    expect(tell(result([row("1.0.0", "adopted")], { whole: false }), told)).toEqual({ notices: [], told });
    expect(tell(result([], { apps: [] }), told)).toEqual({ notices: [], told });
  });

  it("is harmless text", () => {
    const { notices } = tell(result([row("1.1.0", "missing", "\u001b[31m\n::error::x")]));
    expect(notices[0]?.lines).toEqual(["1.1.0: \\x1b[31m\\x0a\\x3a:error\\x3a:x"]);
  });

  it("is remembered in a file, and a file that cannot be read means that nothing was told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "told-"));
    const path = join(folder, "told.json");
    expect(readTold(path)).toEqual({});
    await writeKept(path, { app: "1.1.0: no space" });
    expect(readTold(path)).toEqual({ app: "1.1.0: no space" });
    await writeFile(path, "[1");
    expect(readTold(path)).toEqual({});
    await rm(folder, { recursive: true });
  });
});
