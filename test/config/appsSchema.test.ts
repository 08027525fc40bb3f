import { describe, expect, it } from "vitest";
import { appSettings } from "../../components/config/appSettings";
import { parseFilesFrom, withFilesFrom } from "../../components/config/appsSchema";
import { readConfig } from "../../components/config/readConfig";
import type { AppSpecification, BuildTarget } from "../../components/model/appSpecification";

const target: BuildTarget = {
  version: "1.2.3",
  tag: "v1.2.3",
  commit: "a".repeat(40),
  platform: "linux/arm64",
  architecture: "arm64",
  machine: "aarch64",
};
const url = (architecture: string) => `https://files.example.org/app/app-${architecture}?v=1`;
const app: AppSpecification = {
  name: "app",
  source: { kind: "gitTags", url: "https://git.example.org/app.git" },
  files: ({ architecture }) => [
    {
      url: url(architecture),
      sums: { url: `${url(architecture)}.sha512`, algorithm: "sha512" },
      checksumArgument: "SUM",
    },
  ],
  buildArguments: ({ architecture }) => ({
    FILE: url(architecture),
    SUMS: `--from ${url(architecture)}.sha512 --for ${url(architecture)}`,
    OTHER: "https://files.example.org/else",
  }),
  identical: { path: "/app", file: ({ architecture }) => url(architecture) },
};

describe("withFilesFrom", () => {
  const moved = withFilesFrom(app, "http://localhost:5000/mirror");
  const there = "http://localhost:5000/mirror/app/app-arm64?v=1";

  it("replaces scheme and host of files and sum files, and keeps the rest", () => {
    expect(moved.files?.(target)).toEqual([
      { url: there, sums: { url: `${there}.sha512`, algorithm: "sha512" }, checksumArgument: "SUM" },
    ]);
  });

  it("lets build arguments follow that hold the address of a required file, and no others", () => {
    expect(moved.buildArguments?.(target)).toEqual({
      FILE: there,
      SUMS: `--from ${there}.sha512 --for ${there}`,
      OTHER: "https://files.example.org/else",
    });
  });

  it("compares the image with the file from there", () => {
    expect(moved.identical?.file(target)).toBe(there);
  });

  it("leaves an app alone that needs no files", () => {
    const plain: AppSpecification = { name: "app", source: app.source };
    expect(withFilesFrom(plain, "https://elsewhere.example.org")).toBe(plain);
  });

  it("is what the stack configuration asks for by app", () => {
    const raw = { namespace: "owner", apps: { app: { filesFrom: "https://files.example.net/copy/" } } };
    const config = readConfig(raw, { apps: [app], environment: {} });
    const specification = config.apps.get("app")?.specification;
    expect(specification?.buildArguments?.(target)["FILE"]).toBe("https://files.example.net/copy/app/app-arm64?v=1");
    expect(specification && appSettings(config, specification).platforms).toHaveLength(2);
  });
});

describe("parseFilesFrom", () => {
  it.each([
    ["https://files.example.org", "https://files.example.org"],
    ["https://files.example.org/", "https://files.example.org"],
    ["https://files.example.org:8443/a/b-c_1.0/", "https://files.example.org:8443/a/b-c_1.0"],
    ["http://localhost:5000/x", "http://localhost:5000/x"],
    ["http://127.0.0.1:5000", "http://127.0.0.1:5000"],
  ])("takes %s", (given, expected) => {
    expect(parseFilesFrom(given)).toBe(expected);
  });

  it.each([
    "http://files.example.org",
    "https://user:secret@files.example.org",
    "https://files.example.org?x=1",
    "https://files.example.org#x",
    "https://files.example.org/../etc",
    "https://files.example.org//a",
    "https://files.example.org/a b",
    "https://",
    "ftp://files.example.org",
    "files.example.org",
    `https://files.example.org/${"a".repeat(2000)}`,
  ])("refuses %s", (given) => {
    expect(parseFilesFrom(given)).toBeUndefined();
  });
});
