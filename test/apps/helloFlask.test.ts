import { describe, expect, it } from "vitest";
import { helloFlask } from "../../apps/helloFlask";
import { target } from "./target";

describe("the hello-flask app", () => {
  it("takes the head of the branch, for three platforms, and lets latest follow it", () => {
    expect(helloFlask).toMatchObject({
      source: { kind: "gitBranch", url: "https://github.com/larsks/hello-flask.git", branch: "master" },
      platforms: ["linux/amd64", "linux/arm64", "linux/ppc64le"],
      floatingTags: ["latest"],
    });
  });

  it.each([
    ["linux/amd64", "Hello world x86_64", true],
    ["linux/arm64", "Hello world aarch64\n", true],
    ["linux/ppc64le", "Hello world ppc64le", true],
    ["linux/ppc64le", "Hello world x86_64", false],
    ["linux/amd64", "Hello world", false],
  ] as const)("judges on %s the output %j of its smoke command: %s", (platform, output, good) => {
    expect(helloFlask.smoke?.expect(target("91a1b420", platform, "master")).test(output)).toBe(good);
  });
});
