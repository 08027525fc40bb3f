import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { skipLibraryStacks, withoutStacks } from "../../components/engine/stackTraces";

const root = resolve(__dirname, "../..");

/** Runs JavaScript in the checkout, or another project, in a Node of its own that nobody told where its settings are. */
function node(script: string, argv: readonly string[] = [], cwd = root): string {
  const env = { ...process.env, TS_NODE_PROJECT: undefined };
  return execFileSync(process.execPath, [...argv, "-e", script], { cwd, env, encoding: "utf8" }).trim();
}

describe("transpiling through the cache", () => {
  let folder: string;
  const cache = () => join(folder, "node_modules/.cache/multiarch-mirror/transpiled");
  const source =
    "interface Unused {}\n\n\nexport const fail = (text: string): never => {\n  throw new Error(text);\n};\n";
  /** Requires a.ts; says whether swc was loaded, and where an error in line 5 comes from. */
  const run = (): { readonly swc: boolean; readonly at: string } =>
    JSON.parse(
      node(
        `let at = ""; try { require("./a").fail("no"); } catch (error) { at = error.stack.split("\\n")[1].replace(/.*[\\\\/]/, ""); }
         console.log(JSON.stringify({ swc: Object.keys(require.cache).some((file) => /@swc.core.index/.test(file)), at }));`,
        ["-r", "ts-node/register"],
        folder,
      ),
    ) as { swc: boolean; at: string };

  beforeEach(() => {
    // A project of its own, so that its cache is empty.
    folder = mkdtempSync(join(tmpdir(), "transpile-"));
    mkdirSync(join(folder, "components"));
    mkdirSync(join(folder, "node_modules"));
    for (const name of readdirSync(join(root, "node_modules")))
      if (name !== ".cache") symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    for (const name of ["tsconfig.json", "components/engine/transpiler.cjs"])
      cpSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, "a.ts"), source);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("loads swc only for a file it has not seen, and gives positions in the source either way", () => {
    expect(run()).toEqual({ swc: true, at: "a.ts:5:9)" });
    expect(run()).toEqual({ swc: false, at: "a.ts:5:9)" });
  });

  it("transpiles a file again that changed", () => {
    run();
    writeFileSync(join(folder, "a.ts"), `// One line more.\n${source}`);
    expect(run()).toEqual({ swc: true, at: "a.ts:6:9)" });
  });

  it("transpiles again what another version of the settings made", () => {
    run();
    const settings = { compilerOptions: { target: "es2021", module: "commonjs", moduleResolution: "node10" } };
    const transpiler = { transpileOnly: true, transpiler: "./components/engine/transpiler.cjs" };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...settings, "ts-node": transpiler }));
    expect(run().swc).toBe(true);
  });

  it.each(["", "{", '{"outputText":1}'])("makes an entry again that was damaged to %j", (text) => {
    run();
    const [entry = ""] = readdirSync(cache());
    writeFileSync(join(cache(), entry), text);
    expect(run()).toEqual({ swc: true, at: "a.ts:5:9)" });
    expect(run().swc).toBe(false);
  });

  it("does without a cache that cannot be written", () => {
    mkdirSync(join(folder, "node_modules/.cache"));
    writeFileSync(join(folder, "node_modules/.cache/multiarch-mirror"), "a file where a folder belongs");
    expect(run()).toEqual({ swc: true, at: "a.ts:5:9)" });
    expect(run()).toEqual({ swc: true, at: "a.ts:5:9)" });
  });
});

describe("starting the program", () => {
  const script = `require("./components/engine/transpiler.cjs").register();
    const { join } = require("node:path");
    let at = ""; try { require("./components/model/reference.ts").parseReference("%"); } catch (error) { at = error.stack.split("\\n")[1]; }
    const compiler = Object.keys(require.cache).some((file) => /node_modules.(typescript|ts-node)./.test(file));
    console.log(JSON.stringify({ at, compiler }));`;

  it("needs no compiler, and errors still name lines of the source", () => {
    const { at, compiler } = JSON.parse(node(script)) as { at: string; compiler: boolean };
    const [, line = ""] = /reference\.ts:(\d+):\d+\)$/.exec(at) ?? [];
    const source = readFileSync(join(root, "components/model/reference.ts"), "utf8").split("\n");
    expect(source[Number(line) - 1]).toContain("new Error");
    expect(compiler).toBe(false);
  });

  it("begins where package.json says, without TypeScript in Pulumi's eyes", () => {
    const { main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { main: string };
    expect(readFileSync(join(root, main), "utf8")).toContain('require("./index.ts")');
    expect(readFileSync(join(root, "Pulumi.yaml"), "utf8")).toMatch(/^ {4}typescript: false$/m);
  });
});

describe("loading the Pulumi library", () => {
  const count = (part: string): string =>
    `Object.keys(require.cache).filter((file) => file.includes("${part}")).length`;
  const lazy = 'require("./components/engine/lazyModules.cjs"); ';

  // The placeholder is one.
  it.each([
    ["npm's dependency resolver", "arborist", 1],
    ["the TypeScript compiler", "node_modules/typescript", 0],
  ])("leaves %s out, which it would load otherwise", (_, part, most) => {
    const load = `require("@pulumi/pulumi"); console.log(${count(part)});`;
    expect(Number(node(lazy + load))).toBe(most);
    expect(Number(node(load))).toBeGreaterThan(most);
  });

  it("still turns functions into text, for which they are there", () => {
    const script = `${lazy}const { runtime } = require("@pulumi/pulumi");
      const semver = require("semver");
      runtime.serializeFunction(() => semver.valid("1.0.0")).then(({ text }) => console.log(text.includes("semver"), ${count("arborist")} > 10));
      runtime.computeCodePaths().then((paths) => console.log([...paths.keys()].some((path) => path.includes("semver"))));`;
    expect(node(script).split("\n").toSorted()).toEqual(["true", "true true"]);
  }, 120_000);
});

describe("stack traces", () => {
  const before = Error.prepareStackTrace?.bind(Error);
  afterEach(() => {
    Error.prepareStackTrace = before;
  });

  /** Whose stack traces are formatted in full. */
  function formatted(environment: NodeJS.ProcessEnv): readonly string[] {
    const names: string[] = [];
    Error.prepareStackTrace = (error) => {
      names.push(error.message);
      return error.message;
    };
    skipLibraryStacks(environment);
    const debuggablePromise = (): string | undefined => new Error("promise").stack;
    const callsites = (): string | undefined => new Error("resource").stack;
    const mine = (): string | undefined => new Error("mine").stack;
    return [debuggablePromise, callsites, mine].every((take) => take() !== undefined) ? names : [];
  }

  it("that the library takes for itself are not formatted, all others are", () => {
    expect(formatted({})).toEqual(["mine"]);
  });

  it("of promises are there when leaks are looked for", () => {
    expect(formatted({ PULUMI_DEBUG_PROMISE_LEAKS: "1" })).toEqual(["promise", "mine"]);
  });

  it("of resources are there when the run is to be looked into", () => {
    expect(formatted({ MIRROR_DEBUG: "1" })).toEqual(["resource", "mine"]);
  });

  it("are not even taken while resources are declared, unless somebody looks", () => {
    const take = (): string | undefined => new Error("mine").stack;
    expect(withoutStacks(take, {})).toBe("Error: mine");
    expect(withoutStacks(take, { MIRROR_DEBUG: "1" })).toContain("\n");
    expect(take()).toContain("\n");
  });

  it("are taken again after a declaration that failed", () => {
    const declare = (): never => {
      throw new RangeError("no");
    };
    expect(() => withoutStacks(declare, {})).toThrow(RangeError);
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });

  it("of promises are made by a function of that name in the library", () => {
    const script = `Error.prepareStackTrace = (error, frames) => { names.push(frames[0].getFunctionName()); return ""; };
      const names = []; require("@pulumi/pulumi/runtime/debuggable").debuggablePromise(Promise.resolve(1)); console.log(names[0]);`;
    expect(node(script)).toBe("debuggablePromise");
  });

  it("of resources are made by a function of that name in the library, which goes without", () => {
    const script = `Error.prepareStackTrace = (error, frames) => { names.push(frames[0].getFunctionName()); return "Error"; };
      const names = []; const { Resource } = require("@pulumi/pulumi/resource"); names.length = 0;
      console.log(JSON.stringify(Resource.callsites()), Resource.stackTrace(0).length, names[0]);`;
    expect(node(script)).toBe("[] 0 callsites");
  });
});
