import { describe, expect, it } from "vitest";
import { appSettings } from "../../components/config/appSettings";
import { builderFor } from "../../components/config/mirrorConfig";
import { readConfig } from "../../components/config/readConfig";
import type { AppSpecification } from "../../components/model/appSpecification";

function settings(specification: Omit<AppSpecification, "name">, raw: Readonly<Record<string, unknown>> = {}) {
  const app = { name: "app", ...specification };
  return appSettings(readConfig({ namespace: "owner", ...raw }, { apps: [app], environment: {} }), app);
}

const releases = { kind: "githubReleases", repository: "up/stream" } as const;

describe("appSettings", () => {
  it("takes the stack's settings for an app that says nothing", () => {
    expect(settings({ source: releases }, { keep: 3, platforms: ["linux/arm64"] })).toEqual({
      keep: 3,
      platforms: ["linux/arm64"],
      platformsRequired: ["linux/arm64"],
      exclude: [],
      buildLimitSeconds: 14_400,
      minimumReleaseAgeHours: 0,
      floatingTags: ["latest"],
      immutableTags: false,
    });
  });

  it("puts the app's file before the stack, and the stack's entry for the app before both", () => {
    const specification = { source: releases, keep: 5, platforms: ["linux/ppc64le"] } as const;
    expect(settings(specification, { keep: 3 })).toMatchObject({ keep: 5, platforms: ["linux/ppc64le"] });
    const apps = {
      app: { keep: 7, platforms: ["linux/s390x"], exclude: ["1.2.3"], buildLimit: "8h", minimumReleaseAge: "1d" },
    };
    expect(settings(specification, { keep: 3, buildLimit: "90m", apps })).toMatchObject({
      keep: 7,
      platforms: ["linux/s390x"],
      exclude: ["1.2.3"],
      buildLimitSeconds: 28_800,
      minimumReleaseAgeHours: 24,
    });
  });

  it("requires no platform that is not wanted", () => {
    const specification = { source: releases, platformsRequired: ["linux/amd64", "linux/ppc64le"] } as const;
    expect(settings(specification).platformsRequired).toEqual(["linux/amd64"]);
  });

  it("writes no floating tags when the stack wants none", () => {
    expect(settings({ source: releases, floatingTags: ["major"] }).floatingTags).toEqual(["major"]);
    expect(settings({ source: releases, floatingTags: ["major"] }, { floatingTags: false }).floatingTags).toEqual([]);
  });

  it.each([
    ["none", false, ["latest", "major", "minor", "sha", "commit"]],
    ["versions", true, ["latest", "sha", "commit"]],
    ["all", true, ["sha", "commit"]],
  ])("asks for no tag that could not follow where tags are immutable: %s", (immutableTags, immutable, floatingTags) => {
    const specification = { source: releases, floatingTags: ["latest", "major", "minor", "sha", "commit"] } as const;
    expect(settings(specification, { immutableTags })).toMatchObject({ immutableTags: immutable, floatingTags });
  });

  it.each([
    ["me/fork", { kind: "github", repository: "me/fork" }],
    ["https://h/me/fork.git", { kind: "git", url: "https://h/me/fork.git" }],
  ])("passes the repository %s on as %j", (repository, expected) => {
    expect(settings({ source: releases }, { apps: { app: { repository } } }).repository).toEqual(expected);
  });
});

describe("builderFor", () => {
  it("answers with the one builder, or with the platform's", () => {
    expect(builderFor("near", "linux/arm64")).toBe("near");
    expect(builderFor(new Map([["linux/arm64" as const, "far"]]), "linux/arm64")).toBe("far");
    expect(() => builderFor(new Map(), "linux/arm64")).toThrow('no builder is configured for platform "linux/arm64"');
  });
});
