import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, it } from "vitest";
import { skipDebugLog } from "../../components/engine/debugLog";

const before = pulumi.log.debug;
afterEach(() => {
  (pulumi.log as { debug: typeof before }).debug = before;
});

it("leaves the library's debug messages out, unless they are asked for", () => {
  skipDebugLog({ MIRROR_DEBUG: "1" });
  expect(pulumi.log.debug).toBe(before);
  skipDebugLog({});
  expect(pulumi.log.debug).not.toBe(before);
});

it("reaches the library itself, which calls the same function", async () => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the very module the library's own files use
  const log = require("@pulumi/pulumi/log") as { debug: (message: string) => Promise<void> };
  skipDebugLog({});
  await expect(log.debug("x")).resolves.toBeUndefined();
  expect(log.debug).toBe(pulumi.log.debug);
});
