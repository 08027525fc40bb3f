import { describe, expect, it } from "vitest";
import { readRunOptions } from "../../components/config/runOptions";
import type { AppSpecification } from "../../components/model/appSpecification";
import { ConfigError } from "../../components/config/problems";

const apps: readonly AppSpecification[] = ["mattermost", "outline"].map((name) => ({
  name,
  source: { kind: "githubReleases", repository: `up/${name}` },
}));

function problems(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readRunOptions(environment, apps);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("readRunOptions", () => {
  it("does everything when nothing is said", () => {
    expect(readRunOptions({}, apps)).toEqual({ phase: "all" });
    const empty = { MIRROR_PHASE: "", MIRROR_PLATFORMS: "", MIRROR_APPS: "", MIRROR_DIGESTS: "" };
    expect(readRunOptions(empty, apps)).toEqual({ phase: "all" });
  });

  it("reads lists, without spaces and repetitions, platforms in normal form", () => {
    const environment = {
      MIRROR_PHASE: "build",
      MIRROR_PLATFORMS: "linux/arm64/v8, linux/amd64,linux/arm64",
      MIRROR_APPS: "outline , outline",
      MIRROR_DIGESTS: "out/digests",
    };
    expect(readRunOptions(environment, apps)).toEqual({
      phase: "build",
      platforms: ["linux/arm64", "linux/amd64"],
      apps: ["outline"],
      digests: "out/digests",
    });
  });

  it("reports every mistake at once", () => {
    const found = problems({ MIRROR_PHASE: "biuld", MIRROR_PLATFORMS: "linux/foo,linux/arm64", MIRROR_APPS: "outlin" });
    expect(found).toEqual([
      'MIRROR_PHASE: "biuld"; accepted is one of all, build, publish',
      expect.stringMatching(/^MIRROR_PLATFORMS\[0\]: "linux\/foo"; accepted are linux\/386, /),
      'MIRROR_APPS[0]: "outlin"; there is no such app in apps/index.ts, did you mean "outline"? Known are mattermost, outline',
    ]);
  });

  it("does not take a list of nothing for everything", () => {
    expect(problems({ MIRROR_APPS: "," })).toHaveLength(2);
    expect(problems({ MIRROR_PLATFORMS: " " })).toHaveLength(1);
  });

  it("wants digest files for publishing", () => {
    expect(problems({ MIRROR_PHASE: "publish" })[0]).toMatch(/^MIRROR_DIGESTS: nothing given; phase publish needs/);
    expect(readRunOptions({ MIRROR_PHASE: "publish", MIRROR_DIGESTS: "d" }, apps)).toEqual({
      phase: "publish",
      digests: "d",
    });
  });
});
