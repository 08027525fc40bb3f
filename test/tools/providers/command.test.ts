import { describe, expect, it } from "vitest";
import { commandStandIn } from "../../../tools/providers/command";
import { secret, unknownValue } from "../../../tools/providers/secret";
import type { Operation, Properties } from "../../../tools/providers/standIn";

const provider = commandStandIn("1.2.3");
const lines: string[] = [];
const operation: Operation = {
  urn: "urn:pulumi:dev::p::command:local:Command::greeting",
  name: "greeting",
  preview: false,
  timeout: undefined,
  log: (line) => lines.push(line),
};

async function create(inputs: Properties, over: Partial<Operation> = {}) {
  return provider.create({ ...operation, ...over }, inputs);
}

describe("the function command:local:run", () => {
  it("returns its arguments and both streams", async () => {
    const args = { command: "echo hi; echo no >&2", environment: { A: "1" } };
    expect(await provider.invoke("command:local:run", args)).toEqual({ ...args, stdout: "hi", stderr: "no" });
  });

  it.each([
    [{}, "command"],
    [{ command: 1 }, "command"],
    [{ command: "true", environment: { A: 1 } }, "environment.A"],
    [{ command: "true", assetPaths: ["*"] }, "assetPaths"],
    [{ command: "true", archivePaths: ["*"] }, "archivePaths"],
  ])("refuses %j", async (args, property) => {
    expect(await provider.invoke("command:local:run", args)).toContainEqual(expect.objectContaining({ property }));
  });

  it("refuses everything remote", async () => {
    await expect(provider.invoke("command:remote:run", {})).rejects.toThrow('not "command:remote:run"');
  });
});

describe("the resource command:local:Command", () => {
  it("runs create and keeps the inputs", async () => {
    const { id, outputs } = await create({ create: "echo made", delete: "true" });
    expect(id).toMatch(/^greeting[0-9a-f]{8}$/);
    expect(outputs).toEqual({ create: "echo made", delete: "true", stdout: "made", stderr: "" });
  });

  it("runs nothing in a preview, and its output is not known then", async () => {
    const { outputs } = await create({ create: "exit 1" }, { preview: true });
    expect(outputs).toMatchObject({ stdout: unknownValue, stderr: unknownValue });
  });

  it("runs update, or create again, with the previous output at hand", async () => {
    const olds = { create: "x", stdout: "before", stderr: "" };
    const again = await provider.update(operation, olds, { create: "echo after $PULUMI_COMMAND_STDOUT" });
    expect(again).toMatchObject({ stdout: "after before" });
    const updated = await provider.update(operation, olds, { create: "exit 1", update: "echo updated" });
    expect(updated).toMatchObject({ stdout: "updated" });
    const hidden = { create: "echo [$PULUMI_COMMAND_STDOUT]", addPreviousOutputInEnv: false };
    expect(await provider.update(operation, olds, hidden)).toMatchObject({ stdout: "[]" });
  });

  it("runs delete, and fails when that fails", async () => {
    await expect(provider.delete(operation, { delete: "exit 4", stdout: "x" })).rejects.toThrow("exit status 4");
    await expect(provider.delete(operation, { create: "exit 4" })).resolves.toBeUndefined();
  });

  it("keeps output secret when an input is, and does not log it", async () => {
    lines.length = 0;
    const { outputs } = await create({ create: "echo $P", environment: { P: secret.wrap("hunter2") } });
    expect(outputs).toMatchObject({ stdout: secret.wrap("hunter2"), environment: { P: secret.wrap("hunter2") } });
    expect(lines).toEqual([]);
  });

  it.each([
    [undefined, ["out", "err"]],
    ["stdout", ["out"]],
    ["stderr", ["err"]],
    ["none", []],
  ])("logs as told: %s", async (logging, expected) => {
    lines.length = 0;
    await create({ create: "echo out; echo err >&2", ...(logging === undefined ? {} : { logging }) });
    expect(lines.toSorted()).toEqual(expected.toSorted());
  });

  it("respects the time-out of the operation", async () => {
    await expect(create({ create: "sleep 600" }, { timeout: 200 })).rejects.toThrow("timed out after 200 ms");
  });

  it("accepts inputs that are not known yet, and refuses wrong ones", () => {
    const type = "command:local:Command";
    expect(provider.check(type, { create: unknownValue, environment: unknownValue })).toEqual([]);
    expect(provider.check(type, { create: 3 })).toContainEqual(expect.objectContaining({ property: "create" }));
    expect(provider.check("command:remote:Command", {})[0]?.reason).toContain("command:remote:Command");
  });
});
