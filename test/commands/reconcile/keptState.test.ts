import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readKeptState } from "../../../commands/reconcile/keptState";

const directory = mkdtempSync(join(tmpdir(), "kept-state-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Reads a state through a program that prints and ends so. */
function read(prints: string, status = 0) {
  const program = join(directory, `pulumi-${Math.random()}`);
  const stream = status === 0 ? "" : " >&2";
  writeFileSync(program, `#!/bin/sh\ncat <<'END'${stream}\n${prints}\nEND\nexit ${status}\n`, { mode: 0o755 });
  return readKeptState("test", { program, directory, environment: process.env });
}

describe("a state that is kept", () => {
  it("is the outputs of its stack, and its resources", async () => {
    const stack = { urn: "urn:pulumi:test::p::pulumi:pulumi:Stack::p-test", type: "pulumi:pulumi:Stack" };
    const resources = [
      { ...stack, outputs: { problems: [] } },
      { urn: "a::b", type: "t" },
    ];
    expect(await read(JSON.stringify({ version: 3, deployment: { resources } }))).toEqual({
      outputs: { problems: [] },
      resources: [resources[0], { ...resources[1], outputs: {} }],
    });
  });

  it("is empty when nothing was ever done", async () => {
    expect(await read('{"version":3,"deployment":{}}')).toEqual({ outputs: {}, resources: [] });
  });

  it("is none when the backend has no such stack yet", async () => {
    expect(await read("error: no stack named 'test' found", 255)).toBeUndefined();
  });

  it.each([
    ["the backend cannot be reached", "error: read .pulumi: i/o timeout", 255, "i/o timeout"],
    ["it is no state", "hello", 0, "JSON"],
  ])("is not taken for an empty one when %s", async (_, prints, status, reason) => {
    await expect(read(prints, status)).rejects.toThrow(reason);
  });
});
