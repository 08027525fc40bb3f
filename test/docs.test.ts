import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
import * as ts from "typescript";
import { describe, expect, it } from "vitest";
import { checkApps } from "../components/config/checkApps";
import type { AppSpecification } from "../components/model/appSpecification";
import { buildTarget } from "../components/model/release";
import { release } from "./plan/fakeEdges";

const page = readFileSync("docs/apps.md", "utf8");

/** Names of an interface's members in a source file. */
function membersOf(name: string, path: string): readonly string[] {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const found = file.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  return (found?.members ?? []).map((member) => member.name?.getText() ?? "");
}

/** The examples of the page, each as the fields it shows. */
function examples(): readonly Partial<AppSpecification>[] {
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.map((block) => {
    return runInThisContext(ts.transpile(`(() => ({\n${block}}))()`)) as Partial<AppSpecification>;
  });
}

const specification = "components/model/appSpecification.ts";

/** The kinds of source there are. */
function sourceKinds(): readonly string[] {
  const text = readFileSync(specification, "utf8");
  const found = text.slice(0, text.indexOf("export type Keep")).matchAll(/kind: "(\w+)"/g);
  return [...found].flatMap(([, kind]) => kind ?? []);
}

describe("the page about app files", () => {
  it("has every field in a table", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const documented = rows.flatMap((line) =>
      [...(line.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const fields = membersOf("AppSpecification", specification);
    expect(fields.length).toBeGreaterThan(20);
    expect(documented.toSorted()).toEqual([...fields, ...sourceKinds()].toSorted());
  });

  it("has an example of every field", () => {
    const shown = new Set(examples().flatMap((example) => Object.keys(example)));
    expect([...shown].toSorted()).toEqual([...membersOf("AppSpecification", specification)].toSorted());
  });

  it("has an example of everything that can be said within a field", () => {
    const file = ts.createSourceFile(specification, readFileSync(specification, "utf8"), ts.ScriptTarget.Latest, true);
    const within: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isTypeLiteralNode(node)) within.push(...node.members.map((member) => member.name?.getText() ?? ""));
      // What a function is given is described in words.
      if (!ts.isParameter(node)) ts.forEachChild(node, visit);
    };
    visit(file);
    expect(within).toEqual(expect.arrayContaining(["limitSeconds", "whenUpstreamHasPlatform", "perMinor", "branch"]));
    const shown = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = ""]) => block).join("\n");
    for (const name of within) expect(shown, name).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("has an example of every kind of source", () => {
    const shown = examples().flatMap(({ source }) => source?.kind ?? []);
    const kinds = sourceKinds();
    expect(kinds.length).toBeGreaterThan(7);
    expect([...new Set(shown)].toSorted()).toEqual(kinds.toSorted());
    for (const kind of kinds) expect(page).toContain(`| \`${kind}\``);
  });

  it("names everything that can be said of a required file and of a target", () => {
    for (const name of [...membersOf("RequiredFile", specification), ...membersOf("BuildTarget", specification)])
      expect(page).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("has examples that an app file could consist of", () => {
    const all = examples();
    expect(all.length).toBeGreaterThan(4);
    const first = all[0];
    const base = { name: "mattermost", source: first?.source } as AppSpecification;
    for (const example of all) {
      const app = { name: "example", source: first?.source, ...example } as AppSpecification;
      expect(checkApps([app, base], { exists: () => true })).toEqual([]);
      const target = buildTarget(release("1.2.3"), "linux/arm64");
      if (app.identical)
        expect(all.flatMap((one) => one.files?.(target) ?? []).map(({ url }) => url)).toContain(
          app.identical.file(target),
        );
      if (app.smoke) expect("example 1.2.3 aarch64").toMatch(app.smoke.expect(target));
    }
  });
});
