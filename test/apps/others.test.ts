import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pastefy } from "../../apps/pastefy";
import { openstreetmapTileServer } from "../../apps/openstreetmapTileServer";
import { osmiumTool } from "../../apps/osmiumTool";
import { rtcd } from "../../apps/rtcd";
import { textEmbeddingsInference } from "../../apps/textEmbeddingsInference";
import { xxlJobAdmin } from "../../apps/xxlJobAdmin";
import { kyuubi } from "../../apps/kyuubi";
import { javaSmoke } from "../../apps/javaSmoke";
import { doubtAbout } from "../../components/decide/doubts";
import { collectVersions } from "../../components/decide/versions";
import { readDockerfileImages } from "../../components/dockerfile/images";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { Platform } from "../../components/model/platform";
import { target, windowOf } from "./target";

/** All tags each upstream had in the autumn of 2026, and the versions a person would keep. */
const choices: readonly (readonly [AppSpecification, string, string])[] = [
  [
    pastefy,
    "4.0 6.1 6.2 6.3 6.3.1 6.3.2 6.3.3 6.3.4 6.3.5 6.3.6 6.4.0 6.4.1 6.5.0 6.5.1 6.5.2 6.5.3 6.5.4 6.6.0 6.6.1 6.6.2 6.6.3 6.6.4 6.6.5 6.6.6 6.6.7 6.6.8 6.6.9 6.7.0 6.7.1 6.7.2 6.7.3 6.7.4 6.7.5 7.0.0 7.0.1 7.0.10 7.0.11 7.0.2 7.0.3 7.0.4 7.0.5 7.0.6 7.0.7 7.0.8 7.0.9 7.1.0 7.1.1 7.1.2 7.1.3 7.1.4 7.1.5 7.1.6 7.1.7 7.2.0 7.2.1 7.2.2 7.2.3 7.2.4 7.2.5 7.2.6 v6.0",
    "7.2.6 7.2.5 7.2.4 7.2.3 7.2.2 7.2.1 7.2.0 7.1.7 7.1.6 7.1.5",
  ],
  [
    openstreetmapTileServer,
    "v1.0 v1.1 v1.2 v1.3 v1.3.1 v1.3.10 v1.3.2 v1.3.3 v1.3.4 v1.3.5 v1.3.6 v1.3.7 v1.3.8 v1.3.9 v1.4.0 v1.5.0 v1.6.0 v1.7.0 v1.7.1 v1.7.2 v1.7.3 v1.7.4 v1.8.0 v1.8.1 v1.8.2 v2.0.0 v2.0.1 v2.1.0 v2.2 v2.2.0 v2.2.1 v2.3.0",
    "2.3.0 2.2.1 2.2.0 2.1.0 2.0.1 2.0.0 1.8.2 1.8.1 1.8.0 1.7.4",
  ],
  [
    osmiumTool,
    "v1.0.0 v1.0.1 v1.1.0 v1.1.1 v1.10.0 v1.11.0 v1.11.1 v1.12.0 v1.12.1 v1.13.0 v1.13.1 v1.13.2 v1.14.0 v1.15.0 v1.16.0 v1.17.0 v1.18.0 v1.19.0 v1.19.1 v1.2.0 v1.2.1 v1.3.0 v1.3.1 v1.4.0 v1.4.1 v1.5.0 v1.5.1 v1.6.0 v1.6.1 v1.7.0 v1.7.1 v1.8.0 v1.9.0 v1.9.1",
    "1.19.1 1.19.0 1.18.0 1.17.0 1.16.0 1.15.0 1.14.0 1.13.2 1.13.1 1.13.0",
  ],
  [
    rtcd,
    "v0.0.1 v0.0.2-dev v0.10.0 v0.10.1 v0.11.0 v0.11.1 v0.11.2 v0.11.3 v0.12.0 v0.13.0 v0.14.0 v0.14.0-dev v0.15.0 v0.16.0 v0.16.1 v0.16.2 v0.17.0 v0.17.1 v0.18.0 v0.2.0 v0.3.0 v0.4.0 v0.5.0 v0.6.0 v0.6.1 v0.6.10 v0.6.11 v0.6.2 v0.6.3 v0.6.4 v0.6.5 v0.6.6 v0.6.7 v0.6.8 v0.6.9 v0.7.0 v0.8.0 v0.8.1 v0.9.0 v1.0.0 v1.0.1 v1.0.2 v1.1.0 v1.1.1 v1.1.2 v1.1.3 v1.2.0 v1.2.0-dev0 v1.2.1 v1.2.2 v1.2.3-rc1 v1.2.4 v1.2.5 v1.2.6",
    "1.2.6 1.2.5 1.2.4 1.2.2 1.2.1 1.2.0 1.1.3 1.1.2 1.1.1 1.1.0",
  ],
  [
    textEmbeddingsInference,
    "v0.1.0 v0.2.0 v0.2.1 v0.2.2 v0.3.0 v0.4.0 v0.5.0 v0.6.0 v1.0.0 v1.1.0 v1.2.0 v1.2.1 v1.2.2 v1.2.3 v1.3.0 v1.4.0 v1.5.0 v1.5.1 v1.6.0 v1.6.1 v1.7.0 v1.7.1 v1.7.2 v1.7.3 v1.7.4 v1.8.0 v1.8.1 v1.8.2 v1.8.3 v1.9.0 v1.9.1 v1.9.2 v1.9.3",
    "1.9.3 1.9.2 1.9.1 1.9.0 1.8.3 1.8.2 1.8.1 1.8.0 1.7.4 1.7.3",
  ],
  [
    xxlJobAdmin,
    "1.0.0.0 2.0.2 2.1.0 2.1.1 2.1.2 2.3.0 2.3.1 2.4.0 2.4.1 2.4.2 2.5.0 3.0.0 3.1.0 3.1.1 3.2.0 3.3.0 3.3.1 3.3.2 3.4.1 3.4.2 v1.2.0 v1.3.0 v1.3.1 v1.3.2 v1.4.0 v1.4.2 v1.5.0 v1.5.1 v1.5.2 v1.6.0 v1.6.1 v1.6.2 v1.7.0 v1.7.1 v1.7.2 v1.8.0 v1.8.1 v1.8.2 v1.9.0 v1.9.1 v1.9.2 v2.0.0 v2.0.1 v2.2.0 v3.4.0",
    "3.4.2 3.4.1 3.4.0 3.3.2 3.3.1 3.3.0 3.2.0 3.1.1 3.1.0 3.0.0",
  ],
  [
    kyuubi,
    "v0.1.0-rc1 v0.2.0 v0.3.0 v0.3.1 v0.4.0 v0.4.0-rc1 v0.4.1 v0.5.0 v0.5.0-rc1 v0.5.1 v0.5.2 v0.6.0 v0.6.1 v0.6.2 v0.7.0 v0.8.0-rc1 v0.8.0-rc2 v1.0.0 v1.0.1 v1.0.2 v1.0.3 v1.1.0 v1.1.0-rc1 v1.1.0-rc2 v1.1.0-rc3 v1.10.0 v1.10.0-rc0 v1.10.1 v1.10.1-rc0 v1.10.2 v1.10.2-rc0 v1.10.3 v1.10.3-rc0 v1.11.0 v1.11.0-rc0 v1.11.0-rc1 v1.11.1 v1.11.1-rc0 v1.11.1-rc1 v1.12.0 v1.12.0-rc0 v1.2.0 v1.2.0-rc1 v1.2.0-rc2 v1.2.0-rc3 v1.2.0-rc4 v1.2.0-rc5 v1.3.0-incubating v1.3.0-incubating-rc0 v1.3.0-incubating-rc1 v1.3.0-incubating-rc2 v1.3.0-incubating-rc3 v1.3.0-incubating-rc4 v1.3.0-incubating-rc5 v1.3.0-incubating-rc6 v1.3.0-incubating-rc7 v1.3.0-incubating-rc8 v1.3.0-incubating-rc9 v1.3.1-incubating v1.3.1-incubating-rc0 v1.4.0-incubating v1.4.0-incubating-rc0 v1.4.0-incubating-rc1 v1.4.0-incubating-rc2 v1.4.1-incubating v1.4.1-incubating-rc0 v1.5.0-incubating v1.5.0-incubating-rc0 v1.5.1-incubating v1.5.1-incubating-rc0 v1.5.2-incubating v1.5.2-incubating-rc0 v1.6.0-incubating v1.6.0-incubating-rc0 v1.6.0-incubating-rc1 v1.6.1-incubating v1.6.1-incubating-rc0 v1.6.1-incubating-rc1 v1.6.1-incubating-rc2 v1.7.0 v1.7.0-rc0 v1.7.0-rc1 v1.7.1 v1.7.1-rc0 v1.7.2 v1.7.2-rc0 v1.7.3 v1.7.3-rc0 v1.7.4 v1.7.4-rc0 v1.8.0 v1.8.0-rc0 v1.8.0-rc1 v1.8.1 v1.8.1-docs v1.8.1-rc0 v1.8.2 v1.8.2-rc0 v1.8.3 v1.8.3-rc0 v1.9.0 v1.9.0-rc0 v1.9.1 v1.9.1-rc0 v1.9.2 v1.9.2-rc0 v1.9.3 v1.9.3-rc0 v1.9.4 v1.9.4-rc0",
    "1.12.0 1.11.1 1.11.0 1.10.3 1.10.2 1.10.1 1.10.0 1.9.4 1.9.3 1.9.2",
  ],
];

describe("the apps a stack may switch on", () => {
  it.each(choices.map(([app, tags, versions]) => [app.name, app, tags.split(" "), versions.split(" ")] as const))(
    "%s keeps the ten highest versions, without a doubt",
    (_, app, tags, versions) => {
      expect(windowOf(app, tags, 10)).toEqual(versions);
      const found = collectVersions(
        tags.map((tag) => ({ tag, commit: "c".repeat(40) })),
        app,
      );
      expect(doubtAbout(found, { tagRule: app.tagRule, exclude: [] })).toBeUndefined();
    },
  );

  const platforms: readonly Platform[] = ["linux/amd64", "linux/arm64"];
  const own = choices.map(([app]) => app).filter(({ ownDockerfile }) => ownDockerfile !== undefined);
  it.each(own.flatMap((app) => platforms.map((platform) => [app.name, platform, app] as const)))(
    "%s has a Dockerfile of its own for %s that takes every argument it is given",
    (_, targetPlatform, app) => {
      const path = app.ownDockerfile as string;
      const given = target("1.2.3", targetPlatform);
      const sums = (app.files?.(given) ?? []).flatMap(({ checksumArgument }) => checksumArgument ?? []);
      const { references, undeclared } = readDockerfileImages({
        path,
        text: readFileSync(path, "utf8"),
        buildArguments: {
          ...app.buildArguments?.(given),
          ...Object.fromEntries(sums.map((name) => [name, "sha256:x"])),
        },
        targetPlatform,
        buildPlatform: "linux/amd64",
      });
      expect(undeclared).toEqual([]);
      expect(references.filter(({ isFinalBase }) => isFinalBase).map(({ platform }) => platform)).toEqual(["target"]);
    },
  );

  it("takes Text Embeddings Inference for arm64 from the releases that have its Dockerfile", () => {
    const asked = platforms.map((platform) => textEmbeddingsInference.files?.(target("1.9.3", platform)) ?? []);
    const arm = `${textEmbeddingsInference.url}/raw/${target("1.9.3", "linux/arm64").commit}/Dockerfile-arm64`;
    expect(asked).toEqual([[], [{ url: arm }]]);
  });

  it("reads rtcd's version of Go where upstream keeps it", () => {
    const { pattern } = rtcd.argumentsFromFiles?.["GO_VERSION"] ?? {};
    expect(pattern?.exec("module github.com/mattermost/rtcd\n\ngo 1.24.13\n")?.[1]).toBe("1.24.13");
  });

  it.each([
    [osmiumTool, "osmium version 1.19.1\nlibosmium version 2.23.1\n", true],
    [osmiumTool, "osmium version 1.19.10\n", false],
    [openstreetmapTileServer, "2026-11-01 12:00:00  osm2pgsql version 1.6.0\n", true],
    [openstreetmapTileServer, "osm2pgsql: not found\n", false],
    [textEmbeddingsInference, "text-embeddings-router 1.19.1\n", true],
    [textEmbeddingsInference, "text-embeddings-router 1.19.10\n", false],
    [
      rtcd,
      "Usage of /opt/rtcd/bin/rtcd:\n  -config string\n    \tPath to the configuration file for the rtcd service.",
      true,
    ],
  ] as const)("judges the output of $name's smoke command", ({ smoke }, output, good) => {
    expect(smoke?.expect(target("1.19.1", "linux/arm64")).test(output)).toBe(good);
  });

  it.each([
    ["linux/arm64", "    os.arch = aarch64\n", true],
    ["linux/arm64", "    os.arch = amd64\n", false],
    ["linux/amd64", "    os.arch = amd64\n", true],
  ] as const)("knows the Java of %s", (platform, output, good) => {
    expect(javaSmoke.expect(target("1.0.0", platform)).test(output)).toBe(good);
  });
});
