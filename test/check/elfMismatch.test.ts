import { describe, expect, it } from "vitest";
import { elfMismatch } from "../../components/check/elfMismatch";
import { readFileHead } from "../../components/check/layerListing";
import { acceptedPlatforms, parsePlatform } from "../../components/model/platform";
import { elf } from "./memoryImage";

const platforms = acceptedPlatforms.map(parsePlatform);
const judge = (start: Buffer, platform: string, path = "/usr/bin/x"): string | undefined =>
  elfMismatch(readFileHead(start), parsePlatform(platform), path);

describe("an executable file's machine", () => {
  it("fits its own platform and no other, but for 386 on amd64 and the variants of arm", () => {
    for (const built of platforms) {
      for (const wanted of platforms) {
        const arms = built.startsWith("linux/arm/") && wanted.startsWith("linux/arm/");
        const fits = built === wanted || arms || (built === "linux/386" && wanted === "linux/amd64");
        expect([built, wanted, judge(elf(built), wanted) === undefined]).toEqual([built, wanted, fits]);
      }
    }
  });

  it.each([
    ["big-endian ppc64 on ppc64le", { machine: 21, bits: 64, littleEndian: false } as const, "linux/ppc64le"],
    ["32-bit RISC-V on riscv64", { machine: 243, bits: 32, littleEndian: true } as const, "linux/riscv64"],
    ["x32 on amd64", { machine: 62, bits: 32, littleEndian: true } as const, "linux/amd64"],
  ])("is refused when only class or byte order differ: %s", (_name, identity, platform) => {
    expect(judge(elf(identity), platform)).toContain(`ELF machine ${identity.machine}, ${identity.bits}-bit`);
  });

  it.each([0, 190, 224, 247])("is ignored when it is no host processor: %d", (machine) => {
    expect(judge(elf({ machine, bits: 64, littleEndian: true }), "linux/arm64")).toBeUndefined();
  });

  it.each([1, 4])("is ignored in files no system runs: e_type %d", (type) => {
    expect(judge(elf("linux/amd64", type), "linux/arm64")).toBeUndefined();
  });

  it("is judged in shared objects and position-independent programs", () => {
    expect(judge(elf("linux/amd64", 3), "linux/arm64")).toContain("is an executable for amd64");
  });

  it("is refused when the header is damaged", () => {
    const damaged = elf("linux/arm64");
    damaged[4] = 9;
    expect(judge(damaged, "linux/arm64")).toBe("has a damaged ELF header");
  });
});

describe("native Node addons", () => {
  it.each([
    ["/app/node_modules/a/prebuilds/linux-x64/node.napi.node", true],
    ["/app/node_modules/a/prebuilds/linuxmusl-x64/node.napi.node", true],
    ["/app/node_modules/b/lib/profiler-linux-x64-glibc-115.node", true],
    ["/app/node_modules/c/build/Release/c.node", false],
    ["/app/node_modules/d-linux-x64/d.node", false],
    ["/app/node_modules/a/prebuilds/linux-arm64/node.napi.node", false],
    ["/app/node_modules/a/prebuilds/linux-x64/tool", false],
  ])("%s for amd64 belongs in an arm64 image: %s", (path, allowed) => {
    expect(judge(elf("linux/amd64", 3), "linux/arm64", path) === undefined).toBe(allowed);
  });
});

describe("the first bytes of a file", () => {
  it.each([
    ["#!/bin/sh\n", "script"],
    ["<!DOCTYPE html>", "markup"],
    ["\n  <html>", "markup"],
    ["\x7fELF\x02\x01", "other"],
    ["MZ\x90\x00", "other"],
    ["", "other"],
  ])("%j are taken for %s", (text, kind) => {
    expect(readFileHead(Buffer.from(text, "latin1")).kind).toBe(kind);
  });
});
