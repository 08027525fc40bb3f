import { describe, expect, it } from "vitest";
import { configure, requirementProblems } from "../../components/config/configuration";
import { readConfig } from "../../components/config/readConfig";
import type { Platform } from "../../components/model/platform";

describe("platforms an app requires", () => {
  const problems = (platformsRequired: readonly Platform[]): readonly string[] => {
    const source = { kind: "gitTags", url: "https://git.example/app.git" } as const;
    const raw = { namespace: "mirror", platforms: ["linux/amd64", "linux/arm64"] };
    return requirementProblems(
      readConfig(raw, { apps: [{ name: "app", source, platformsRequired }], environment: {} }),
    );
  };

  it("are a mistake when the stack wants none of them, for then nothing would be required", () => {
    expect(problems(["linux/s390x"])).toEqual([
      'app "app" platformsRequired: ["linux/s390x"]; none of them is wanted in this stack: accepted are some of linux/amd64, linux/arm64',
    ]);
  });

  it("may be some of those wanted, and none on purpose", () => {
    expect(problems(["linux/s390x", "linux/amd64"])).toEqual([]);
    expect(problems([])).toEqual([]);
  });
});

describe("platforms a run is asked for", () => {
  const ask = (platforms: string, apps = "") => {
    const source = { kind: "gitTags", url: "https://git.example/app.git" } as const;
    const specifications = [
      { name: "app", source },
      { name: "other", source, platforms: ["linux/s390x"] },
    ] as const;
    return () =>
      configure(specifications, {
        stackConfig: { namespace: "mirror", platforms: '["linux/amd64"]', attest: "off" },
        environment: { MIRROR_PLATFORMS: platforms, MIRROR_APPS: apps },
        dryRun: true,
      });
  };

  it("are a mistake when no app of the run wants them, for nothing would be done", () => {
    expect(ask("linux/s390x,linux/amd64")).not.toThrow();
    expect(ask("linux/amd64,linux/ppc64le")).toThrow(
      'MIRROR_PLATFORMS[1]: "linux/ppc64le"; no app of this run wants it; wanted are linux/amd64, linux/s390x',
    );
    expect(ask("linux/s390x", "app")).toThrow("wanted are linux/amd64");
  });
});
