import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { checkout } from "../../../components/engine/checkout";

const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as Record<
  "dependencies" | "devDependencies",
  Readonly<Record<string, string>>
>;
const needed = Object.keys(manifest.dependencies);

/** The packages a source file imports, whichever way. */
function packagesOf(file: string): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(checkout, file), "utf8"), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith(".") && !isBuiltin(name))
    .map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
}

const sources = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: checkout })
  .toString()
  .split("\0")
  .filter((file) => /\.(ts|mts|cjs|mjs)$/.test(file));
const atRunTime = /^(index\.ts$|start\.cjs$|apps\/|components\/|commands\/)/;
const imports = (files: readonly string[]): readonly string[] => [...new Set(files.flatMap(packagesOf))].toSorted();

it("names under dependencies what program and commands import, and nothing else", () => {
  expect(imports(sources.filter((file) => atRunTime.test(file)))).toEqual(needed.toSorted());
});

it("names every package that tools and tests import", () => {
  const named = [...needed, ...Object.keys(manifest.devDependencies)];
  expect(imports(sources).filter((name) => !named.includes(name))).toEqual([]);
});
