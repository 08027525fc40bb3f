import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { functionMistakes, withCheckedFunctions } from "../../components/config/appFunctions";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { Platform } from "../../components/model/platform";
import type { Release } from "../../components/model/release";

const platforms: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const release: Release = { version: "1.2.3", tag: "v1.2.3", reference: "tag", commit: "c".repeat(40) };
const url = "https://files.example/1.2.3.tar.gz";
const sha256 = "a".repeat(64);

/** An app file as somebody without the compiler's help may write it. */
function app(functions: object): AppSpecification {
  const source = { kind: "gitTags", url: "https://git.example/app.git" };
  return withCheckedFunctions({ name: "app", source, ...functions } as AppSpecification);
}

const mistakes = (functions: object): readonly string[] => functionMistakes(app(functions), release, platforms);
const onBoth = 'of app "app", for 1.2.3 on linux/amd64, linux/arm64: ';
const throws = (): never => {
  throw new TypeError("Cannot read properties of undefined (reading 'x')");
};

describe("what the functions of an app file give", () => {
  it("is accepted when it is as the types say, and is passed on unchanged", () => {
    const files = [{ url, sha256, checksumArgument: "SUM" }];
    const whole = {
      buildArguments: () => ({ A: "1" }),
      files: () => files,
      smoke: { command: ["/a"], expect: () => /1/g },
      identical: { path: "/a", file: () => url },
      official: { reference: () => "docker.io/owner/app:1.2.3" },
    };
    expect(mistakes(whole)).toEqual([]);
    expect(app(whole).files?.({} as never)).toBe(files);
  });

  it.each<[string, object, string]>([
    ["a number", { buildArguments: () => ({ A: 3 }) }, `buildArguments ${onBoth}A: 3; accepted is text`],
    [
      "a value that is undefined",
      { buildArguments: () => ({ A: undefined }) },
      `buildArguments ${onBoth}A: nothing given; accepted is text`,
    ],
    [
      "nothing",
      { buildArguments: () => undefined },
      `buildArguments ${onBoth}the whole: nothing given; accepted is a map`,
    ],
    [
      "a promise",
      { buildArguments: async () => ({}) },
      `buildArguments ${onBoth}the whole: "(a promise)"; accepted is a map`,
    ],
    [
      "a name with a blank",
      { buildArguments: () => ({ "A B": "1" }) },
      `buildArguments ${onBoth}["A B"]: "1"; accepted as the name of a build argument are letters, digits and _ . -`,
    ],
    [
      "an error",
      { buildArguments: throws },
      `buildArguments ${onBoth}it throws "Cannot read properties of undefined (reading 'x')"`,
    ],
    [
      "a misspelt checksum",
      { files: () => [{ url, sha265: sha256 }] },
      `files ${onBoth}[0].sha265: "${sha256}"; there is no such key, did you mean "sha256"? Known are url, sha256, sha512, sums, checksumArgument`,
    ],
    [
      "a checksum that is undefined",
      { files: () => [{ url, sha256: undefined }] },
      `files ${onBoth}[0].sha256: nothing given; accepted is 64 hex digits`,
    ],
    [
      "an argument for a checksum that is not there",
      { files: () => [{ url, checksumArgument: "SUM" }] },
      `files ${onBoth}[0].checksumArgument: "SUM"; it needs a checksum: give one of sha256, sha512 and sums`,
    ],
    ["one file", { files: () => ({ url }) }, `files ${onBoth}the whole: {"url":"${url}"}; accepted is a list of files`],
    [
      "text to match",
      { smoke: { command: ["/a"], expect: () => "1.2.3" } },
      `smoke.expect ${onBoth}the whole: "1.2.3"; accepted is a regular expression`,
    ],
    [
      "a file without a checksum to compare with",
      { files: () => [{ url }], identical: { path: "/a", file: () => url } },
      `for 1.2.3 on linux/amd64, linux/arm64: identical.file is "${url}"; accepted is the address of one of its files that has a checksum (sha256, sha512 or sums)`,
    ],
    [
      "no reference",
      { official: { reference: () => "owner/app:1 2" } },
      'official.reference of app "app", for 1.2.3: the whole: "owner/app:1 2"; accepted is the reference of an image',
    ],
  ])("F39 is told when it is %s", (_, functions, line) => {
    expect(mistakes(functions)).toEqual([line]);
  });

  it("F39 is told for the platforms it is given for", () => {
    const buildArguments = ({ architecture }: { architecture: string }) => ({ A: architecture === "arm64" ? 1 : "1" });
    expect(mistakes({ buildArguments })).toEqual([
      'buildArguments of app "app", for 1.2.3 on linux/arm64: A: 1; accepted is text',
    ]);
  });

  it("names the file an app is described in, where it bears the app's name", () => {
    const source = { kind: "gitTags", url: "https://git.example/app.git" } as const;
    // Any of them, best one whose name has several words.
    const files = readdirSync("apps").filter((file) => file !== "index.ts");
    const file = files.find((each) => /[A-Z]/.test(each)) ?? files[0]!;
    const name = file.replace(".ts", "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const own = withCheckedFunctions({ name, source, buildArguments: throws });
    expect(() => own.buildArguments?.({ version: "1.2.3", platform: "linux/amd64" } as never)).toThrow(
      `buildArguments in apps/${file}, for 1.2.3 linux/amd64: it throws "Cannot read`,
    );
  });
});
