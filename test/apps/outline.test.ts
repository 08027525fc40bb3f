import { describe, expect, it } from "vitest";
import { baseOutline, outline } from "../../apps/outline";
import { outlineTags } from "../e2e/upstream/outline";
import { target, windowOf } from "./target";

describe("the Outline apps", () => {
  it.each([outline, baseOutline])(
    "$name keeps the ten highest stable versions; numeric suffixes are pre-releases",
    (app) => {
      expect(windowOf(app, outlineTags, 10)).toEqual([
        ...["1.9.2", "1.9.1", "1.9.0", "1.8.1", "1.8.0", "1.7.1", "1.7.0", "1.6.1", "1.6.0", "1.5.0"],
      ]);
    },
  );

  it("builds the image on its own base, whatever the Dockerfile would pull", () => {
    expect(outline.bases).toEqual([{ context: "outlinewiki/outline-base", app: baseOutline.name }]);
    expect(baseOutline.dockerfile).toBe("Dockerfile.base");
    expect(outline.source).toEqual(baseOutline.source);
    expect(String(outline.tagRule)).toBe(String(baseOutline.tagRule));
  });

  it.each([
    ["linux/arm64", '["1.9.2","arm64",true]', true],
    ["linux/amd64", '["1.9.2","x64",true]\n', true],
    ["linux/ppc64le", '["1.9.2","ppc64",true]', true],
    ["linux/arm64", '["1.9.2","x64",true]', false],
    ["linux/arm64", '["1.9.2","arm64",false]', false],
    ["linux/arm64", '["1.9.1","arm64",true]', false],
    ["linux/arm64", '["1x9x2","arm64",true]', false],
  ] as const)("judges on %s the output %s of its smoke command: %s", (platform, output, good) => {
    expect(outline.smoke?.expect(target("1.9.2", platform)).test(output)).toBe(good);
  });

  it("names upstream's own image of the version", () => {
    expect(outline.official?.reference({ version: "1.9.2", tag: "v1.9.2" })).toBe(
      "docker.io/outlinewiki/outline:1.9.2",
    );
  });
});
