import { describe, expect, it } from "vitest";
import { failed, untouched } from "../../components/declare/versionOutcome";
import { both, planned, toBuild, whole } from "./plans";
import { digestFor } from "./recordingMock";

const digest = digestFor("index");
const platforms = { "linux/amd64": digestFor("amd"), "linux/arm64": digestFor("arm") };
const half = { digest, platforms: { "linux/amd64": digestFor("amd") } };
const nothing = { state: "missing", build: [], keep: {}, lacking: both } as const;
const waiting = {
  until: new Date("2026-01-11T00:00:00Z"),
  failure: { count: 1, last: "2026-01-10T00:00:00Z", reason: "no space" },
};

describe("a version that this run leaves as it is", () => {
  it("waits, which is no failure, after builds that failed before", () => {
    expect(untouched(planned({ plan: nothing, waiting }))).toEqual({
      state: "waiting",
      reason: "not tried before 2026-01-11T00:00Z, because it failed once; the last time: no space",
      lastFailure: "no space",
    });
  });

  it("keeps its record while it waits to be completed", () => {
    const plan = { ...nothing, state: "partial", lacking: ["linux/arm64"], present: half } as const;
    expect(untouched(planned({ plan, waiting }))).toMatchObject({
      state: "waiting",
      lastFailure: "no space",
      record: half,
    });
  });

  it("waits, which is no failure, for a platform that upstream does not offer", () => {
    const plan = { ...nothing, state: "incomplete", lacking: ["linux/arm64"] } as const;
    const notOffered = { "linux/arm64": "404 Not Found" };
    expect(untouched(planned({ plan, notOffered }))).toEqual({
      state: "waiting",
      reason: "it waits for linux/arm64 (404 Not Found)",
    });
  });

  it("waits, which is no failure, for a platform that the run was not asked for", () => {
    const plan = { ...nothing, state: "incomplete", lacking: ["linux/arm64"] } as const;
    expect(untouched(planned({ plan, elsewhere: ["linux/arm64"] }))).toEqual({
      state: "waiting",
      reason: "it waits for linux/arm64 (this run builds nothing for it)",
    });
    expect(untouched(planned({ plan: { ...plan, lacking: both }, elsewhere: ["linux/arm64"] }))).toMatchObject({
      state: "failed",
    });
  });

  it("has failed when what it lacks is offered", () => {
    const notOffered = { "linux/arm64": "404 Not Found" };
    expect(untouched(planned({ plan: nothing, notOffered }))).toMatchObject({ state: "failed" });
    expect(untouched(planned({ plan: { ...nothing, lacking: [] } }))).toEqual({
      state: "failed",
      reason: "it is not published",
    });
  });

  it.each([
    ["of its plan", { plan: { ...nothing, problem: "503" }, waiting }],
    ["of its attestations", { attestation: { mode: "none", gaps: [], scans: [], problem: "503" }, waiting }],
    [
      "of what upstream attached",
      { referrers: { mode: "none", gaps: [], digests: [], declared: false, problem: "503" }, waiting },
    ],
    [
      "and upstream lacks the rest",
      { plan: { ...nothing, problem: "503" }, notOffered: { "linux/amd64": "", "linux/arm64": "" } },
    ],
  ] as const)("has failed when there is a problem %s, though it waits too", (_, over) => {
    expect(untouched(planned(over))).toMatchObject({ state: "failed", reason: "503" });
  });

  it("is recorded as what its tag names now", () => {
    expect(untouched(planned({ plan: whole(digest, platforms) }))).toMatchObject({
      state: "published",
      record: { digest, platforms, origin: "adopted" },
    });
  });

  it("is recorded as before when others moved its tag, so that the next run sees it too", () => {
    const managed = { tag: "1.0.0", digest: digestFor("ours"), platforms, origin: "built" } as const;
    const plan = { ...whole(digest, platforms), state: "moved", problem: "moved by others" } as const;
    expect(untouched(planned({ plan, managed }))).toMatchObject({
      state: "failed",
      record: { digest: managed.digest },
    });
  });

  it("is marked in the record when it is gone from the registry", () => {
    const managed = { tag: "1.0.0", digest, platforms, origin: "built" } as const;
    const plan = { ...nothing, state: "gone", lacking: [] } as const;
    expect(untouched(planned({ plan, managed }))).toMatchObject({ record: { absent: true } });
    expect(untouched(planned({ plan: { ...plan, state: "unknown" }, managed }))).not.toHaveProperty("record.absent");
  });
});

describe("a version that was to change and did not", () => {
  it("keeps its record, and is complete as long as it has what is required", () => {
    const plan = { ...toBuild, state: "partial", present: half } as const;
    const gains = planned({ plan, required: ["linux/amd64"] });
    expect(failed(gains, "broken")).toEqual({
      state: "failed",
      reason: "broken",
      record: expect.objectContaining({ digest }) as unknown,
    });
    expect(failed(planned({ plan }), "broken")).toHaveProperty("incomplete", true);
  });

  it("is not complete, whatever is on record, when the registry has lost it", () => {
    const managed = { tag: "1.0.0", digest, platforms, origin: "built" } as const;
    expect(failed(planned({ managed, required: [] }), "broken")).toMatchObject({
      record: { digest },
      incomplete: true,
    });
  });
});
