import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "typescript-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Loads a file in a Node of its own, after `before`, and gives what it prints. */
function load(file: string, before = "", after = ""): string {
  const script = `${before}; const loaded = require("./components/engine/typescript.cjs").load(${JSON.stringify(file)}); ${after}`;
  return execFileSync(process.execPath, ["-e", script], { cwd: checkout, encoding: "utf8", stdio: "pipe" }).trim();
}

/** Writes a.ts, which throws in line 5, and the file that imports it. */
function writeThrower(): string {
  writeFileSync(
    join(folder, "a.ts"),
    "interface Unused {}\n\n\nexport const fail = (text: string): never => {\n  throw new Error(text);\n};\n",
  );
  const main = join(folder, "main.ts");
  writeFileSync(
    main,
    `import { fail } from "./a";\nexport const at = (): string => {\n  try { return fail("no"); }\n  catch (error) { return String((error as Error).stack); }\n};\n`,
  );
  return main;
}

describe("a TypeScript file", () => {
  it("is loaded with what it imports; an error tells its position in the source", () => {
    expect(load(writeThrower(), "", "console.log(loaded.at())")).toContain(`${join(folder, "a.ts")}:5:9`);
  });

  it("has positions in the source where Pulumi's language host prepared stack traces before", () => {
    const before = `require("module").createRequire(require.resolve("@pulumi/pulumi"))("source-map-support/register")`;
    expect(load(writeThrower(), before, "console.log(loaded.at())")).toContain(`${join(folder, "a.ts")}:5:9`);
  });

  it("is loaded anew with what was changed in it", () => {
    const main = writeThrower();
    load(main);
    writeFileSync(join(folder, "a.ts"), `// One line more.\n${readFileSync(join(folder, "a.ts"), "utf8")}`);
    expect(load(main, "", "console.log(loaded.at())")).toContain(`${join(folder, "a.ts")}:6:9`);
  });

  it("finds libraries that it imports only when they are needed as it finds the others", () => {
    const main = join(folder, "main.ts");
    writeFileSync(main, `export const found = import("google-protobuf/google/protobuf/empty_pb");\n`);
    expect(load(main, "", "loaded.found.then(({ Empty }) => console.log(typeof Empty))")).toBe("function");
  });

  it("that cannot be read as such fails with position and reason", () => {
    const main = join(folder, "main.ts");
    writeFileSync(main, "export const = 1;\n");
    expect(() => load(main)).toThrow(
      /SyntaxError: .*main\.ts:1:13: Expected identifier but found "=": export const = 1;/,
    );
    writeFileSync(main, `import "./nowhere";\n`);
    expect(() => load(main)).toThrow(/main\.ts:1:7: ERROR: Could not resolve "\.\/nowhere"/);
  });
});

describe("an app's file that throws", () => {
  beforeEach(() => {
    mkdirSync(join(folder, "apps"));
    writeFileSync(join(folder, "apps", "one.ts"), `\nexport const one = new URL("no address");\n`);
    writeFileSync(join(folder, "index.ts"), `import { one } from "./apps/one";\nexport const apps = [one];\n`);
  });

  it("fails with the place in it", () => {
    expect(() => load(join(folder, "index.ts"))).toThrow(/SyntaxError: apps\/one\.ts:2:20: Invalid URL/);
  });

  it("is a mistake in what the program was given, told without a stack trace", () => {
    for (const name of ["components", "node_modules"]) symlinkSync(join(checkout, name), join(folder, name));
    copyFileSync(join(checkout, "start.cjs"), join(folder, "start.cjs"));
    const report = join(folder, "report.json");
    const script = `try { require("./start.cjs"); } catch (error) { console.log(require("@pulumi/pulumi").RunError.isInstance(error), error.message); }`;
    const environment = { ...process.env, MIRROR_REPORT: report };
    const said = execFileSync(process.execPath, ["-e", script], { cwd: folder, encoding: "utf8", env: environment });
    expect(said).toBe("true apps/one.ts:2:20: Invalid URL\n");
    expect(JSON.parse(readFileSync(report, "utf8"))).toEqual({ mistakes: ["apps/one.ts:2:20: Invalid URL"] });
  });
});

describe("the program", () => {
  it("loads without the TypeScript compiler", () => {
    const script = `require("./start.cjs"); console.log(Object.keys(require.cache).filter((file) => /node_modules.typescript./.test(file)).length);`;
    expect(execFileSync(process.execPath, ["-e", script], { cwd: checkout, encoding: "utf8" })).toBe("0\n");
  });
});
