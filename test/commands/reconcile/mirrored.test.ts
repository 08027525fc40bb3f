import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { departures, type Mirrored, mirroredAfter, readMirrored } from "../../../commands/reconcile/mirrored";
import type { Platform } from "../../../components/model/platform";
import type { AppReport, ReportState } from "../../../components/report/appReport";
import type { VersionResult } from "../../../components/report/appResult";
import { writeKept } from "../../../components/system/placeWhole";

const both: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const repository = "registry.example/mirror/tiny";

/** Versions with the state of all their platforms. */
function report(
  versions: Readonly<Record<string, ReportState>>,
  over: Partial<AppReport> = {},
  platforms = both,
): AppReport {
  const rows = Object.entries(versions).map(([version, state]) => ({
    ...{ version, tag: version, state },
    platforms: platforms.map((platform) => ({ platform, state })),
  }));
  const kept = rows.map(({ version }) => version);
  return {
    ...{ app: "tiny", repository, versions: rows, window: { kept, listed: [...kept, "1.0.0"] } },
    ...{ floating: [], rejected: [], notes: [], problems: [] },
    ...over,
  };
}
const before: Mirrored = { tiny: { repository, platforms: [...both], versions: ["1.1.0", "1.0.0"] } };
const said = (reports: readonly AppReport[], wholly = true) =>
  departures({ apps: reports }, before, wholly).map(({ text }) => text);
const after = (reports: readonly AppReport[], known: Mirrored = before, wholly = true) =>
  mirroredAfter({ apps: reports }, known, wholly);

describe("what is no longer mirrored", () => {
  it("is said of a version that left the versions to keep, and once", () => {
    const now = report({ "1.2.0": "missing", "1.1.0": "published" });
    expect(said([now])).toEqual(["tiny: no longer among the versions to keep: 1.0.0; what is published stays"]);
    expect(departures({ apps: [now] }, after([now]), true)).toEqual([]);
  });

  it("is said of one that upstream withdrew, and not of the head of a branch", () => {
    const kept = ["1.2.0"];
    expect(said([report({ "1.2.0": "published" }, { window: { kept, listed: kept } })])).toEqual([
      "tiny: no longer listed by upstream: 1.1.0, 1.0.0; what is published stays",
    ]);
    expect(said([report({ "1.2.0": "published" }, { window: { kept } })])).toEqual([
      "tiny: no longer among the versions to keep: 1.1.0, 1.0.0; what is published stays",
    ]);
  });

  it("is said of a version that the state still declares", () => {
    const now = report(
      { "1.1.0": "published", "1.0.0": "published" },
      { window: { kept: ["1.1.0"], listed: ["1.1.0", "1.0.0"] } },
    );
    expect(said([now])).toHaveLength(1);
    expect(after([now])["tiny"]?.versions).toEqual(["1.1.0"]);
  });

  it("is said of a platform", () => {
    const all = { "1.1.0": "published", "1.0.0": "published" } as const;
    const now = report(all, {}, ["linux/amd64"]);
    expect(said([now])).toEqual(["tiny: no longer wanted: linux/arm64; what is published for it stays"]);
    expect(departures({ apps: [now] }, after([now]), true)).toEqual([]);
  });

  it("is said of an app that was taken out before anything of it was published without a word of that", () => {
    const other = report({ "1.0.0": "published" }, { app: "other", repository: "registry.example/mirror/other" });
    const never = { tiny: { repository: "registry.example/mirror/tiny", platforms: [], versions: [] } };
    const [gone] = departures({ apps: [other] }, never, true);
    expect(gone).toEqual({ app: "tiny", text: "tiny: this stack mirrors it no longer", dropped: true });
  });

  it("is said of an app that was taken out, but not by a run that was asked for others", () => {
    const other = report({ "1.0.0": "published" }, { app: "other", repository: "registry.example/mirror/other" });
    expect(said([other])).toEqual(["tiny: this stack mirrors it no longer; what is published of it stays"]);
    expect(after([other])).not.toHaveProperty("tiny");
    expect(said([other], false)).toEqual([]);
    expect(after([other], before, false)).toMatchObject(before);
  });

  it("is nothing of what went to another registry or namespace", () => {
    const repositories = { app: "tiny", repository: "registry.example/elsewhere/tiny" };
    expect(said([report({ "1.2.0": "published" }, repositories)])).toEqual([]);
    expect(said([report({}, { app: "other", repository: "other.example/mirror/other" })])).toEqual([]);
  });

  it("is not known where upstream did not answer, and then asked of the next run", () => {
    const { window, ...deaf } = report({ "1.1.0": "published" });
    expect(window).toBeDefined();
    expect(said([deaf])).toEqual([]);
    expect(after([deaf])).toEqual(before);
  });

  it("is nothing of what was never published", () => {
    const now = report({ "1.2.0": "missing", "1.1.0": "not ours", "1.0.0": "moved" });
    expect(after([now], {})).toEqual({ tiny: { repository, platforms: [], versions: [] } });
  });

  it("is remembered of what the registry does not answer about", () => {
    expect(after([report({ "1.1.0": "unknown", "0.9.0": "unknown" })])).toEqual({
      tiny: { repository, platforms: both, versions: ["1.1.0"] },
    });
  });

  it("is learnt from what the run did", () => {
    const now = report({ "1.2.0": "missing", "1.1.0": "missing" });
    const ended: VersionResult = {
      ...{
        version: "1.2.0",
        tag: "1.2.0",
        outcome: "published",
        digest: "sha256:1",
        platforms: ["linux/amd64"],
        builds: [],
      },
    };
    const result = { app: "tiny", repository, versions: [ended], floating: [], notes: [], problems: [] };
    expect(mirroredAfter({ apps: [now], results: [result] }, {}, true)).toEqual({
      tiny: { repository, platforms: ["linux/amd64"], versions: ["1.2.0"] },
    });
  });

  it("is kept from run to run, and a file nobody can read says nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mirrored-"));
    try {
      const file = join(folder, "deep", "mirrored.json");
      expect(readMirrored(file)).toEqual({});
      await writeKept(file, before);
      expect(readMirrored(file)).toEqual(before);
      await writeFile(file, '{"tiny": 1}');
      expect(readMirrored(file)).toEqual({});
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
