import { describe, expect, it } from "vitest";
import { requirementProblems } from "../../components/config/configuration";
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
