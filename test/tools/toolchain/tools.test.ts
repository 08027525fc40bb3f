import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { folders } from "../../../tools/toolchain/folders";
import { tools } from "../../../tools/toolchain/tools";

const built = tools.flatMap(({ name, version, source }) =>
  source.from === "go" && version !== undefined ? [{ name, version, source }] : [],
);

/** The version of a package's sources that a Go module pins: that of the longest module path before it. */
function pinned(module: string, packageName: string): string | undefined {
  const text = readFileSync(path.join(folders().modules, module, "go.mod"), "utf8");
  const pins = [...text.matchAll(/^(?:require)?\s+(\S+) v(\S+)(?: \/\/ indirect)?$/gm)].map(([, of = "", at]) => ({
    of,
    at,
  }));
  const fitting = pins.filter(({ of }) => packageName === of || packageName.startsWith(`${of}/`));
  return fitting.toSorted((a, b) => b.of.length - a.of.length)[0]?.at;
}

describe("tools", () => {
  // Programs that share a module get the newest version any of them asks for, and each says what the table says of it.
  it.each(built)("has of $name the version its sources are of", ({ version, source }) => {
    expect(pinned(source.module, source.package)).toBe(version);
  });
});
