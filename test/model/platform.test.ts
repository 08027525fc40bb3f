import { describe, expect, it } from "vitest";
import { formatPlatform, readSpelling } from "../../components/model/platform";

// Normal forms as containerd's own module has them (`platforms.Normalize`), which BuildKit and registries' clients compare by.
describe("a platform out of a descriptor or configuration", () => {
  it.each([
    ["linux", "amd64", undefined, "linux/amd64"],
    ["linux", "amd64", "v1", "linux/amd64"],
    ["linux", "amd64", "v2", "linux/amd64/v2"],
    ["linux", "AMD64", "V1", "linux/amd64"],
    ["linux", "x86_64", undefined, "linux/amd64"],
    ["linux", "x86-64", "v3", "linux/amd64/v3"],
    ["linux", "arm64", "8", "linux/arm64"],
    ["linux", "arm64", "v8", "linux/arm64"],
    ["linux", "aarch64", undefined, "linux/arm64"],
    ["linux", "aarch64", "v8", "linux/arm64"],
    ["linux", "arm", undefined, "linux/arm/v7"],
    ["linux", "arm", "", "linux/arm/v7"],
    ["linux", "arm", "7", "linux/arm/v7"],
    ["linux", "arm", "6", "linux/arm/v6"],
    ["linux", "arm", "v8", "linux/arm/v8"],
    ["linux", "armhf", undefined, "linux/arm/v7"],
    ["linux", "armel", undefined, "linux/arm/v6"],
    ["linux", "i386", undefined, "linux/386"],
    ["Linux", "ppc64le", undefined, "linux/ppc64le"],
    ["macos", "arm64", undefined, "darwin/arm64"],
    ["windows", "amd64", undefined, "windows/amd64"],
    ["linux", "constructor", undefined, "linux/constructor"],
  ])("%s, %s, %s is %s", (os, architecture, variant, written) => {
    expect(formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) })).toBe(written);
  });
});

describe("a platform as somebody spells it in a Dockerfile", () => {
  it.each([
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["Linux/x86_64", "linux/amd64"],
    ["amd64", "linux/amd64"],
    ["aarch64", "linux/arm64"],
    ["arm", "linux/arm/v7"],
    ["linux/s390x", "linux/s390x"],
    ["linux", "build"],
    ["", undefined],
    ["vax", undefined],
    ["linux/", undefined],
    ["linux//v7", undefined],
    ["linux/amd64/v1/x", undefined],
    ["linux/a b", undefined],
  ])("%j means %s", (text, platform) => expect(readSpelling(text)).toBe(platform));
});
