import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";

/** Runs JavaScript in the checkout, in a Node of its own whose engine is prepared; gives what it prints. */
function prepared(script: string, environment: NodeJS.ProcessEnv = {}): string {
  const prepare = `require("./components/engine/prepareEngine.cjs").prepareEngine(); `;
  const env = { ...process.env, ...environment };
  return execFileSync(process.execPath, ["-e", prepare + script], { cwd: checkout, env, encoding: "utf8" }).trim();
}

const loaded = (part: string): string =>
  `Object.keys(require.cache).filter((file) => file.includes(${JSON.stringify(part)})).length`;

describe("loading the Pulumi library", () => {
  // The placeholder is one.
  it.each([
    ["npm's dependency resolver", "arborist", 1],
    ["the TypeScript compiler", "node_modules/typescript", 0],
  ])("leaves %s out, which it would load otherwise", (_, part, most) => {
    const load = `require("@pulumi/pulumi"); console.log(${loaded(part)});`;
    expect(Number(prepared(load))).toBe(most);
    const plain = execFileSync(process.execPath, ["-e", load], { cwd: checkout, encoding: "utf8" });
    expect(Number(plain)).toBeGreaterThan(most);
  });

  it("still turns functions into text, for which they are there", () => {
    const script = `const { runtime } = require("@pulumi/pulumi");
      const semver = require("semver");
      runtime.serializeFunction(() => semver.valid("1.0.0")).then(({ text }) => console.log(text.includes("semver"), ${loaded("arborist")} > 10));
      runtime.computeCodePaths().then((paths) => console.log([...paths.keys()].some((path) => path.includes("semver"))));`;
    expect(prepared(script).split("\n").toSorted()).toEqual(["true", "true true"]);
  }, 120_000);
});

describe("declaring a resource", () => {
  // The mocked engine takes no messages, so this one stands in its place.
  const declare = `const pulumi = require("@pulumi/pulumi"); const sent = [];
    require("@pulumi/pulumi/runtime/settings").getEngine = () => ({ log: (request, done) => (sent.push(request.getSeverity()), done(null)) });
    const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks"), { registerResource } = MockMonitor.prototype; let frames = 0;
    MockMonitor.prototype.registerResource = function (request, done) {
      frames += request.getStacktrace()?.getFramesList().length ?? 0;
      return registerResource.call(this, request, done);
    };
    pulumi.runtime.setMocks({ newResource: ({ inputs }) => ({ id: "", state: inputs }), call: () => ({}) }).then(async () => {
      // Far enough down for a place to be left when the library has dropped its own.
      const declare = (depth) => (depth === 0 ? new pulumi.ComponentResource("test:index:Part", "part") : declare(depth - 1));
      declare(9);
      await require("@pulumi/pulumi/runtime").waitForRPCs();
      console.log(JSON.stringify({ debug: sent.includes(0), trace: frames > 0 }));
    });`;

  it("sends no debug message and no place in the program, unless asked to", () => {
    expect(JSON.parse(prepared(declare))).toEqual({ debug: false, trace: false });
    expect(JSON.parse(prepared(declare, { MIRROR_DEBUG: "1" }))).toEqual({ debug: true, trace: true });
  });
});

it("ends the program when nobody reads its output any more", () => {
  const script = `setInterval(() => process.stdout.write("x".repeat(1e5)), 1)`;
  const shell = `${JSON.stringify(process.execPath)} -e 'require("./components/engine/prepareEngine.cjs").prepareEngine(); ${script}' | head -c 10`;
  expect(execFileSync("sh", ["-c", shell], { cwd: checkout, encoding: "utf8", timeout: 120_000 })).toBe("xxxxxxxxxx");
});

it("comes before the program, where package.json says that it begins, without TypeScript in Pulumi's eyes", () => {
  const { main } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { main: string };
  expect(readFileSync(join(checkout, main), "utf8")).toMatch(/prepareEngine\(\);[^]*index\.ts/);
  expect(readFileSync(join(checkout, "Pulumi.yaml"), "utf8")).toMatch(/^ {4}typescript: false$/m);
});
