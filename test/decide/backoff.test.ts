import fc from "fast-check";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureKey, whyOverdue, recordTries, waitOf } from "../../components/decide/backoff";
import { readFailureFile, writeFailureFile } from "../../components/report/failureFile";

const hour = 3_600_000;
const at = new Date("2026-05-01T00:40:00.000Z");
const later = (hours: number): Date => new Date(at.getTime() + hours * hour);
const failed = (count: number, last = at.toISOString()) => ({ count, last, reason: "the build failed" });
const key = failureKey("esbuild", "0.27.2");

describe("waiting after a failed build", () => {
  it.each([
    [1, 5],
    [2, 11],
    [3, 23],
    [4, 47],
    [5, 95],
    [6, 167],
    [7, 167],
    [1000, 167],
  ])("after %i failures in a row waits %i hours", (count, hours) => {
    expect(waitOf(failed(count), later(hours - 0.01))?.until).toEqual(later(hours));
    expect(waitOf(failed(count), later(hours))).toBeUndefined();
  });

  it("lets the schedule's next run six hours later try again, though the last one took some minutes", () => {
    expect(waitOf(failed(1), new Date("2026-05-01T06:17:00Z"))).toBeUndefined();
  });

  it("does not wait without a failure", () => {
    expect(waitOf(undefined, at)).toBeUndefined();
  });

  it.each(["2099-01-01T00:00:00.000Z", "yesterday"])("does not believe the time %s", (last) => {
    expect(waitOf(failed(9, last), at)).toBeUndefined();
  });

  it("never waits more than a week, nor less after one failure more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (count) => {
        const first = waitOf(failed(count), at)!.until;
        const second = waitOf(failed(count + 1), at)!.until;
        expect(second.getTime()).toBeGreaterThanOrEqual(first.getTime());
        expect(first.getTime() - at.getTime()).toBeLessThanOrEqual(7 * 24 * hour);
      }),
    );
  });
});

describe("the record of failures", () => {
  const tries = (failures: readonly string[], complete: readonly string[], when = at) => ({
    failed: new Map(failures.map((name) => [name, "it broke"])),
    complete: new Set(complete),
    at: when,
  });

  it("counts failures in a row", () => {
    const once = recordTries({}, tries([key], []));
    const twice = recordTries(once, tries([key], [], later(6)));
    expect(once).toEqual({ [key]: { count: 1, last: at.toISOString(), since: at.toISOString(), reason: "it broke" } });
    expect(twice[key]).toEqual({ count: 2, last: later(6).toISOString(), since: at.toISOString(), reason: "it broke" });
  });

  it("says when the first of the tries failed, by which a version is overdue after a day", () => {
    const [failure] = Object.values(recordTries(recordTries({}, tries([key], [])), tries([key], [], later(20))));
    const released = at.toISOString();
    const tooLong = "has been missing for longer than a day";
    expect([later(24), later(24.1)].map((now) => whyOverdue(failure, undefined, now))).toEqual([undefined, tooLong]);
    expect([later(24), later(24.1)].map((now) => whyOverdue(undefined, released, now))).toEqual([undefined, tooLong]);
    expect(whyOverdue(undefined, undefined, at)).toBe("is missing, and nobody knows since when");
  });

  it("forgets a version that is complete, so that a later failure counts from one", () => {
    const record = recordTries(recordTries({}, tries([key], [])), tries([], [key]));
    expect(record).toEqual({});
  });

  it("keeps what this run did not try, and drops it after 60 days", () => {
    const record = recordTries({}, tries([key], []));
    expect(recordTries(record, tries([], [], later(24)))).toEqual(record);
    expect(recordTries(record, tries([], [], later(24 * 61)))).toEqual({});
  });

  it("is not fooled by names that every object has", () => {
    expect(recordTries({}, tries(["constructor"], []))["constructor"]?.count).toBe(1);
  });
});

describe("the file with the record", () => {
  const file = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), "failures-")), "failures.json");

  it("is read back as it was written", async () => {
    const path = await file();
    const record = { [key]: failed(3) };
    await writeFailureFile(path, record);
    expect(readFailureFile(path)).toEqual(record);
  });

  it("holds reasons as one harmless line", async () => {
    const path = await file();
    await writeFailureFile(path, { [key]: { ...failed(1), reason: "a\n::error::b\u001b[2J" } });
    const { reason } = readFailureFile(path)[key]!;
    expect(reason).not.toMatch(/[\n\u001b]|::/u);
    expect(await readFile(path, "utf8")).not.toContain("::error");
  });

  it.each([
    ["absent", undefined],
    ["no JSON", "{"],
    ["a list", "[]"],
    ["a negative count", JSON.stringify({ [key]: { ...failed(1), count: -1 } })],
    ["no time", JSON.stringify({ [key]: { count: 1, reason: "" } })],
  ])("counts as empty when it is %s: everything is tried", async (_, content) => {
    const path = await file();
    if (content !== undefined) await writeFile(path, content);
    expect(readFailureFile(path)).toEqual({});
  });
});
