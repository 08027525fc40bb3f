import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mostlymatter } from "../../apps/mostlymatter";
import { readDockerfileImages } from "../../components/dockerfile/images";
import { mattermostVersions } from "../e2e/upstream/mattermost";
import { mostlymatterVersions } from "../e2e/upstream/mostlymatter";
import { target, windowOf } from "./target";

const host = "https://packages.framasoft.org/projects/mostlymatter";

describe("the Mostlymatter app", () => {
  it("keeps its own suffixed tags only: neither Mattermost's, nor candidates", () => {
    const tags = [
      ...mostlymatterVersions.map((version) => `v${version}-limitless`),
      ...mattermostVersions.map((version) => `v${version}`),
      ...["v11.10.0-limitless-rc1", "v11.10.0-1", "limitless"],
    ];
    expect(windowOf(mostlymatter, tags, 10)).toEqual([
      ...["11.9.1", "11.9.0", "11.8.5", "11.8.4", "11.7.9", "11.7.8", "11.7.6", "11.7.4", "11.6.6", "11.6.5"],
    ]);
  });

  it.each([
    ["linux/amd64", `${host}/mostlymatter-amd64-v11.7.0`],
    ["linux/arm64", `${host}/mostlymatter-arm64-v11.7.0`],
  ] as const)("takes the program of %s, by the checksum that is published beside it", (platform, url) => {
    const of = target("11.7.0", platform);
    expect(mostlymatter.buildArguments?.(of)).toEqual({ BINARY_URL: url });
    expect(mostlymatter.files?.(of)).toEqual([
      { url, sums: { url: `${url}.sha512`, algorithm: "sha512" }, checksumArgument: "BINARY_CHECKSUM" },
    ]);
    expect(mostlymatter.identical?.file(of)).toBe(url);
    expect(mostlymatter.identical).toMatchObject({ path: "/mattermost/bin/mattermost", replaces: true });
  });

  it("has a Dockerfile of its own that is built on Mattermost and nothing else", () => {
    const path = "apps/mostlymatter.Dockerfile";
    expect(mostlymatter.ownDockerfile).toBe(path);
    const { references } = readDockerfileImages({
      path,
      text: readFileSync(path, "utf8"),
      buildArguments: mostlymatter.buildArguments?.(target("11.7.0", "linux/arm64")) ?? {},
      targetPlatform: "linux/arm64",
      buildPlatform: "linux/amd64",
      contexts: mostlymatter.bases?.map(({ context }) => context) ?? [],
    });
    expect(references.map(({ reference }) => reference)).toEqual(["mattermost"]);
    expect(mostlymatter.bases).toEqual([{ context: "mattermost", app: "mattermost" }]);
  });

  it("compares the version its program tells", () => {
    const pattern = mostlymatter.smoke?.expect(target("11.7.0", "linux/amd64"));
    expect(pattern?.test("Version: 11.7.0\nBuild Number: 4711\n")).toBe(true);
    expect(pattern?.test("Version: 11.7.1\nBuild Number: 11.7.0\n")).toBe(false);
  });
});
