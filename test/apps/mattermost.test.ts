import { describe, expect, it } from "vitest";
import { mattermost } from "../../apps/mattermost";
import { mattermostReleases, mattermostVersions } from "../e2e/upstream/mattermost";
import { target, windowOf } from "./target";

const tags = [
  ...mattermostVersions.map((version) => `v${version}`),
  ...["v11.11.0-rc1", "v11.8.0-rc3", "v10.11.0-rc2", "server/public/v0.1.21", "v11.12", "cloud-2026-08-01-1", "9.11.1"],
];

describe("the Mattermost app", () => {
  it("keeps the ten highest versions of upstream's list, though others are newer by date", () => {
    expect(windowOf(mattermost, tags, 10)).toEqual([
      ...["11.10.0", "11.9.1", "11.9.0", "11.8.5", "11.8.4", "11.8.3", "11.8.2", "11.8.1", "11.8.0", "11.7.9"],
    ]);
  });

  it("keeps every maintained line covered when asked for one version of each", () => {
    expect(windowOf(mattermost, tags, { latest: 3, perMinor: 1, minors: 9 })).toEqual([
      ...["11.10.0", "11.9.1", "11.9.0", "11.8.5", "11.7.9", "11.6.6", "11.5.7", "11.4.5", "11.3.3", "10.11.23"],
    ]);
  });

  it("reads a release list of several pages, as upstream's is", () => {
    expect(mattermostReleases.length).toBeGreaterThan(200);
  });

  it.each([
    ["linux/amd64", "https://releases.mattermost.com/11.7.0/mattermost-11.7.0-linux-amd64.tar.gz"],
    ["linux/arm64", "https://releases.mattermost.com/11.7.0/mattermost-11.7.0-linux-arm64.tar.gz"],
  ] as const)("builds %s from the package of the Enterprise-capable edition, which must be there", (platform, url) => {
    expect(mattermost.buildArguments?.(target("11.7.0", platform))).toEqual({ MM_PACKAGE: url });
    expect(mattermost.files?.(target("11.7.0", platform))).toEqual([{ url }]);
  });

  it("is built from the folder that holds the Dockerfile", () => {
    expect(mattermost).toMatchObject({ subdirectory: "server/build", source: { repository: "mattermost/mattermost" } });
  });

  it.each([
    ["Version: 11.7.0\nBuild Number: 11.7.0\nBuild Date: x\n", true],
    ["Build Number: 11.7.0", true],
    ["Version: 11.7.0\nBuild Number: 11.7.01\n", false],
    ["Version: 11.7.0\nBuild Number: 111.7.0\n", false],
    ["Version: 11.7.0\nBuild Number: 11x7x0\n", false],
    ["Version: 11.7.0\nBuild Number: dev\n", false],
    ["", false],
  ])("judges the output %j of its smoke command", (output, good) => {
    expect(mattermost.smoke?.expect(target("11.7.0", "linux/amd64")).test(output)).toBe(good);
  });
});
