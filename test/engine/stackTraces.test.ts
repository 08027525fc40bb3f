import { afterEach, expect, it } from "vitest";
import { readableStacks } from "../../components/engine/stackTraces";

const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");

afterEach(() => {
  Object.defineProperty(Error, "prepareStackTrace", { ...before, configurable: true, writable: true });
});

it.each([
  ["/a/node_modules/@pulumi/output.ts:378:13", "/a/node_modules/@pulumi/.../output.ts:378:13"],
  ["/a/node_modules/@pulumi/pulumi/output.js:1:2", "/a/node_modules/@pulumi/pulumi/output.js:1:2"],
  ["/a/node_modules/zod/index.js:1:2", "/a/node_modules/zod/index.js:1:2"],
])("gives a frame in %s two parts below the scope, which is what Node relies on", (frame, readable) => {
  Error.prepareStackTrace = (error) => `${String(error)}\n    at f (${frame})`;
  readableStacks();
  expect(new Error("broken").stack).toBe(`Error: broken\n    at f (${readable})`);
});
