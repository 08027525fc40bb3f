import { describe, expect, it } from "vitest";
import {
  type BaseManifest,
  baseNeeds,
  decideBase,
  lookupReference,
  manifestFor,
  repairReference,
} from "../../components/decide/basePins";
import { isDigest, type Digest } from "../../components/model/digest";
import { readDockerfileImages } from "../../components/dockerfile/images";
import { DockerfileError } from "../../components/dockerfile/dockerfileError";
import type { Platform } from "../../components/model/platform";

const both: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const digest = (letter: string): Digest => {
  const made = `sha256:${letter.repeat(64)}`;
  if (!isDigest(made)) throw new Error(`${letter} is no hex digit`);
  return made;
};
const single: BaseManifest = { kind: "image", digest: digest("1"), platforms: { "linux/amd64": digest("1") } };
const index: BaseManifest = {
  kind: "index",
  digest: digest("9"),
  platforms: { "linux/amd64": digest("1"), "linux/arm64": digest("2") },
};

function needs(text: string, platforms = both, provided: readonly string[] = []) {
  const images = platforms.map((targetPlatform) => {
    const options = {
      path: "Dockerfile",
      text,
      buildArguments: {},
      buildPlatform: "linux/amd64" as const,
      contexts: provided,
    };
    return [targetPlatform, readDockerfileImages({ ...options, targetPlatform })] as const;
  });
  return baseNeeds("Dockerfile", new Map(images), provided);
}

function need(text: string, platforms = both) {
  const [first] = needs(text, platforms);
  if (!first) throw new Error("no need");
  return first;
}

describe("the bases a Dockerfile needs", () => {
  it.each([
    ["ubuntu", "ubuntu", "docker.io/library/ubuntu:latest"],
    ["docker.io/library/ubuntu:latest", "ubuntu", "docker.io/library/ubuntu:latest"],
    ["outlinewiki/outline-base", "outlinewiki/outline-base", "docker.io/outlinewiki/outline-base:latest"],
    ["gcr.io/distroless/base-debian12", "gcr.io/distroless/base-debian12", "gcr.io/distroless/base-debian12:latest"],
    [`ubuntu:noble@${digest("1")}`, `ubuntu:noble@${digest("1")}`, `docker.io/library/ubuntu:noble@${digest("1")}`],
    [`ubuntu:latest@${digest("1")}`, `ubuntu:latest@${digest("1")}`, `docker.io/library/ubuntu:latest@${digest("1")}`],
    [`ubuntu@${digest("1")}`, `ubuntu@${digest("1")}`, `docker.io/library/ubuntu@${digest("1")}`],
  ])("keys %j as BuildKit does", (written, key, lookup) => {
    const found = need(`FROM ${written}`);
    expect(found).toMatchObject({ written, key, platforms: both, line: 1 });
    expect(lookupReference(found)).toBe(lookup);
  });

  it("counts two spellings of one image as one, at the first line", () => {
    expect(needs("FROM a AS x\nFROM ubuntu\nFROM ubuntu:latest\nCOPY --from=1 / /\nCOPY --from=x / /")).toMatchObject([
      { key: "a", line: 1 },
      { key: "ubuntu", line: 2 },
    ]);
  });

  it("wants each platform only of the images that platform's build names", () => {
    expect(needs("FROM base-$TARGETARCH")).toMatchObject([
      { key: "base-amd64", platforms: ["linux/amd64"] },
      { key: "base-arm64", platforms: ["linux/arm64"] },
    ]);
  });

  it("wants no platform of an image only the builder runs, and the one spelt out of another", () => {
    expect(
      needs(
        "FROM --platform=$BUILDPLATFORM golang AS b\nFROM --platform=linux/s390x c AS c\nFROM scratch\nCOPY --from=b / /\nCOPY --from=c / /",
      ),
    ).toMatchObject([
      { key: "golang", platforms: [] },
      { key: "c", platforms: ["linux/s390x"] },
    ]);
  });

  it("leaves out what the app provides", () => {
    expect(
      needs("FROM outlinewiki/outline-base AS base\nFROM node\nCOPY --from=base / /", both, [
        "outlinewiki/outline-base",
      ]),
    ).toMatchObject([{ key: "node" }]);
  });

  it("refuses a provided context that the Dockerfile does not use, as BuildKit would ignore it in silence", () => {
    expect(() => needs("FROM outlinewiki/outline-base:1.2.3", both, ["outlinewiki/outline-base"])).toThrow(
      /uses no named context \["outlinewiki\/outline-base"\].*outlinewiki\/outline-base:1\.2\.3/,
    );
  });

  it("accepts a provided context that bears a stage's name", () => {
    expect(needs("FROM a AS base\nFROM b\nCOPY --from=base / /", both, ["base"])).toMatchObject([{ key: "b" }]);
  });

  it("names file, line and unset variables of a malformed reference", () => {
    expect(() => needs("ARG V\nFROM ubuntu:$V")).toThrow(/"Dockerfile" line 2: .*variables without a value: \["V"\]/);
  });
});

describe("deciding about a base", () => {
  it("pins an unpinned base to the index its tag names", () => {
    expect(decideBase(need("FROM python:3.8"), index)).toMatchObject({
      pinned: `docker.io/library/python@${index.digest}`,
      replaced: true,
    });
  });

  it("keeps a pinned index", () => {
    const pinned = need(`FROM ubuntu:noble@${index.digest}`);
    expect(repairReference(pinned, index)).toBeUndefined();
    expect(decideBase(pinned, index)).toMatchObject({ replaced: false, manifest: index });
  });

  it("replaces a pinned single-platform manifest by the index of the same tag", () => {
    const pinned = need(`FROM ubuntu:noble@${single.digest}`);
    expect(repairReference(pinned, single)).toBe("docker.io/library/ubuntu:noble");
    const decision = decideBase(pinned, single, index);
    expect(decision).toMatchObject({ replaced: true, pinned: `docker.io/library/ubuntu@${index.digest}` });
    expect(decision.warning).toBeUndefined();
  });

  it("warns when the tag's index no longer holds the pinned manifest", () => {
    const later = { ...index, platforms: { ...index.platforms, "linux/amd64": digest("7") } };
    expect(decideBase(need(`FROM ubuntu:noble@${single.digest}`), single, later).warning).toContain(
      "now names other images",
    );
  });

  it("keeps a pinned single-platform manifest when that platform is the only one wanted", () => {
    const pinned = need(`FROM ubuntu:noble@${single.digest}`, ["linux/amd64"]);
    expect(repairReference(pinned, single)).toBeUndefined();
    expect(decideBase(pinned, single)).toMatchObject({ replaced: false, manifest: single });
  });

  it("pins an unpinned single manifest when it covers the one wanted platform", () => {
    expect(decideBase(need("FROM a", ["linux/amd64"]), single)).toMatchObject({ replaced: true, manifest: single });
  });

  it("accepts any platform of an image only the builder runs", () => {
    const text = "FROM --platform=$BUILDPLATFORM golang AS b\nFROM scratch\nCOPY --from=b / /";
    expect(decideBase(need(text), single)).toMatchObject({ replaced: true, manifest: single });
  });

  it("does not pin an image through a context that would replace a stage of the same name", () => {
    const decision = decideBase(need("FROM node AS node\nFROM node"), index);
    expect(decision).toMatchObject({ replaced: false, manifest: index });
    expect(decision.warning).toContain("a stage has the same name");
  });

  it.each([
    ["absent", "FROM a", undefined, undefined, "does not exist"],
    [
      "without a wanted platform",
      "FROM a",
      { ...index, platforms: { "linux/amd64": digest("1") } },
      undefined,
      "no image for linux/arm64",
    ],
    [
      "with no platform at all",
      "FROM --platform=$BUILDPLATFORM a",
      { ...index, platforms: {} },
      undefined,
      "any platform",
    ],
    ["a single manifest, unpinned", "FROM a", single, undefined, "no image for linux/arm64"],
    ["pinned to one platform without a tag", `FROM a@${single.digest}`, single, undefined, "without a tag"],
    [
      "pinned to one platform of a tag that is gone",
      `FROM a:1@${single.digest}`,
      single,
      undefined,
      "its tag does not exist",
    ],
    ["pinned to one platform of a tag that is no index", `FROM a:1@${single.digest}`, single, single, "its tag names"],
    [
      "pinned to one platform of an index without the wanted one",
      `FROM a:1@${single.digest}`,
      single,
      { ...index, platforms: { "linux/amd64": digest("1") } },
      "no image for linux/arm64",
    ],
    [
      "a pinned index without a wanted platform",
      `FROM a:1@${index.digest}`,
      { ...index, platforms: { "linux/amd64": digest("1") } },
      undefined,
      "no image for linux/arm64",
    ],
  ] as const)("refuses a base %s, naming file, line and reference", (_case, text, found, tagged, problem) => {
    const wanted = need(`# first\n${text}`);
    const decide = (): unknown => decideBase(wanted, found, tagged);
    expect(decide).toThrow(DockerfileError);
    expect(decide).toThrow(`"Dockerfile" line 2: the base ${JSON.stringify(wanted.written)} `);
    expect(decide).toThrow(problem);
  });
});

describe("the manifest for a platform", () => {
  it.each([
    ["linux/amd64/v3", ["linux/amd64"], "linux/amd64"],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v3"], "linux/amd64/v3"],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"],
    ["linux/arm/v6", ["linux/arm/v5", "linux/arm/v7"], "linux/arm/v5"],
    ["linux/arm64", ["linux/arm/v7", "linux/amd64"], undefined],
    ["linux/amd64", ["linux/amd64/v3"], undefined],
  ] as const)("for %s among %j is %s", (platform, offered, expected) => {
    const platforms = Object.fromEntries(offered.map((name, position) => [name, digest(String(position + 1))]));
    const found = manifestFor({ ...index, platforms }, platform);
    expect(found).toBe(expected === undefined ? undefined : platforms[expected]);
  });
});
