import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { imageDigest, repository } from "./memoryImage";
import { smokeDockerfile } from "../../components/check/smokeRun";

describe("the Dockerfile of a smoke run", () => {
  it("carries any one-line command through unchanged, as two lines of harmless characters", () => {
    const element = fc.string({ unit: "binary" }).filter((text) => !/[\0\r\n]/.test(text));
    fc.assert(
      fc.property(
        fc.array(element, { minLength: 1 }).filter(([first]) => first !== ""),
        (command) => {
          const [from, run, end, ...rest] = smokeDockerfile(repository, imageDigest, command).split("\n");
          expect([from, end, rest]).toEqual([`FROM ${repository}@${imageDigest}`, "", []]);
          const [, json = ""] = /^RUN --network=none (\[.*\])$/.exec(run ?? "") ?? [];
          expect(JSON.parse(json)).toEqual(command);
          expect(json).not.toMatch(/[$<>'`]|\\(?!u[0-9a-f]{4})/);
        },
      ),
    );
  });

  it.each([["a\nRUN id"], ["a\rb"], ["a\0b"]])("is refused for the element %j", (element) => {
    expect(() => smokeDockerfile(repository, imageDigest, ["/bin/x", element])).toThrow("write one line");
  });

  it.each([[[]], [[""]]])("is refused for the command %j", (command) => {
    expect(() => smokeDockerfile(repository, imageDigest, command)).toThrow("names no program");
  });

  it.each([
    ["registry.example/a\nRUN id", imageDigest],
    ["registry.example/$X", imageDigest],
    ["--platform=x", imageDigest],
    ["registry.example/a", "sha256:1\n"],
  ])("is refused for the image %j@%j", (name, digest) => {
    expect(() => smokeDockerfile(name, digest as Digest, ["/x"])).toThrow("is not a reference by digest");
  });
});
