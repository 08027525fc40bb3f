import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import * as ts from "typescript";
import { describe, expect, it } from "vitest";

/** The table by which ESLint judges imports. */
async function mayImport(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { mayImport: table } = (await import(pathToFileURL("eslint.config.mjs").href)) as {
    readonly mayImport: Readonly<Record<string, readonly string[]>>;
  };
  return table;
}

const folders = readdirSync("components", { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

/** The files a source file imports from, types included, by their paths from the project's root. */
function importsOf(path: string): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(path, "utf8"));
  const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
  const targets = relative.map((name) => join(dirname(path), name));
  return targets.flatMap((target) => [`${target}.ts`, join(target, "index.ts"), target].find(isSource) ?? []);
}

function isSource(path: string): boolean {
  return path.endsWith(".ts") && existsSync(path);
}

/** One circle of a graph, its first node repeated at its end; undefined when there is none. */
function circleOf(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...path, node]);
      if (circle) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle) return circle;
  }
  return undefined;
}

const below = ["apps", "components", "commands", "tools"].flatMap((top) =>
  readdirSync(top, { recursive: true, encoding: "utf8" }).map((name) => join(top, name)),
);
const files = ["index.ts", "look.ts", "lookOnly.ts", ...below.filter(isSource)];
const imports = new Map(files.map((path) => [path, importsOf(path)]));

/** Folder of `components/` → those its files import from. */
function folderImports(): ReadonlyMap<string, readonly string[]> {
  const folderOf = (path: string): string | undefined => /^components\/([^/]+)\//.exec(path)?.[1];
  const graph = new Map<string, Set<string>>();
  for (const [path, targets] of imports) {
    const folder = folderOf(path);
    if (folder === undefined) continue;
    const others = targets.map(folderOf).filter((other) => other !== undefined && other !== folder);
    graph.set(folder, new Set([...(graph.get(folder) ?? []), ...(others as string[])]));
  }
  return new Map([...graph].map(([folder, others]) => [folder, [...others].toSorted()]));
}

describe("imports", () => {
  it("go round in no circle", () => {
    expect(files.length).toBeGreaterThan(200);
    expect([...imports.values()].flat().length).toBeGreaterThan(500);
    expect(circleOf(imports)).toBeUndefined();
  });

  it("go one way between folders, which are those of the table", async () => {
    const table = await mayImport();
    expect(circleOf(folderImports())).toBeUndefined();
    expect(circleOf(new Map(Object.entries(table)))).toBeUndefined();
    expect(Object.keys(table).toSorted()).toEqual(folders);
  });

  it("would be seen in a circle", () => {
    expect(circleOf(new Map(Object.entries({ a: ["b"], b: ["c"], c: ["b"] })))).toEqual(["b", "c", "b"]);
  });
});

describe("the pages about the code", () => {
  it("have one line for each folder, and for no other", () => {
    const page = readFileSync("components/README.md", "utf8");
    const named = [...page.matchAll(/^- `(\w+)\/`: \S/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(folders);
    // Nothing stands loose beside the folders.
    expect(readdirSync("components").filter((name) => !folders.includes(name))).toEqual(["README.md"]);
  });

  it.each(["docs/architecture.md", "CONTRIBUTING.md", "README.md"])("name in %s what is there", (path) => {
    const page = readFileSync(path, "utf8");
    const named = [...page.matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, name = ""]) => name);
    const ours = named.filter((name) => /^(components|commands|tools|test|docs|apps|bench|schemas)\//.test(name));
    const within = named.filter((name) => folders.includes(name.split("/")[0] ?? ""));
    expect(ours.length + within.length).toBeGreaterThan(0);
    expect(ours.filter((name) => !existsSync(name))).toEqual([]);
    expect(within.filter((name) => !existsSync(join("components", name)))).toEqual([]);
  });
});
