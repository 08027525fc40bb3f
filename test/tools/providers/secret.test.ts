import { describe, expect, it } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { secret } from "../../../tools/providers/secret";

const signature = pulumi.runtime.specialSigKey;
const marked = { [signature]: pulumi.runtime.specialSecretSig, value: "hunter2" };

describe("secret", () => {
  it("writes the wrapper the Pulumi SDK recognises", () => {
    expect(secret.wrap("hunter2")).toEqual(marked);
    expect(pulumi.runtime.isRpcSecret(secret.wrap("hunter2"))).toBe(true);
  });

  it("opens wrappers at any depth and leaves everything else as it is", () => {
    const closed = { a: marked, b: [1, marked, { c: marked }], d: null, e: "plain" };
    expect(secret.open(closed)).toEqual({ a: "hunter2", b: [1, "hunter2", { c: "hunter2" }], d: null, e: "plain" });
  });

  it.each([
    ["a wrapper", marked, true],
    ["a wrapper in a list in a map", { a: [{ b: marked }] }, true],
    ["a plain map", { a: [{ b: "x" }] }, false],
    ["null", null, false],
    ["another marked value", { [signature]: "c44067f5952c0a294b673a41bacd8c17" }, false],
  ])("tells whether there is a secret in %s", (_, value, expected) => {
    expect(secret.isIn(value)).toBe(expected);
  });
});
