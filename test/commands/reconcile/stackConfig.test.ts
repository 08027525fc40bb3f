import { describe, expect, it } from "vitest";
import { readStackConfig } from "../../../commands/reconcile/stackConfig";

const project = `name: multiarch-mirror
config:
  registry: { type: string, default: ghcr.io }
  keep: { default: 10 }
  cache: { default: { type: "off" } }
  namespace: { type: string }
  github:baseUrl: { value: https://ghe.example }
`;
const read = (config: string) => readStackConfig(project, config);
const valueOf = (text: string) => read(`config:\n  multiarch-mirror:key: ${text}\n`).own["key"];

describe("a stack's configuration, read without Pulumi", () => {
  // What `pulumi config --json` of Pulumi 3.259.0 says of the same text.
  it.each([
    ["plain", "plain"],
    ['"007"', "007"],
    ["017", "15"],
    ["08", "8"],
    ["0_9", "9"],
    ["1_000", "1000"],
    ["0x1F", "31"],
    ["-0x1F", "-31"],
    ["0b101", "5"],
    ["0o17", "15"],
    ["+12", "12"],
    ["1.10", "1.1"],
    ["1.2.3", "1.2.3"],
    ["1e6", "1000000"],
    ["yes", "yes"],
    ["True", "true"],
    ["~", ""],
    ["", ""],
    ["2026-1-2", "2026-01-02 00:00:00 +0000 UTC"],
    ["1-2", "1-2"],
    ["[1.10, 2, x]", '[1.1,2,"x"]'],
    ["{ a: 017, b: yes, c: True, d: ~ }", '{"a":15,"b":"yes","c":true,"d":null}'],
    ["{ <<: { a: 1 }, b: 2 }", '{"a":1,"b":2}'],
  ])("takes %s for what Pulumi takes it for", (text, expected) => {
    const value = valueOf(text) ?? "";
    const sorted = value.startsWith("{") ? JSON.stringify(JSON.parse(value)) : value;
    expect(sorted).toBe(expected);
  });

  it("has the project's defaults and values where the stack says nothing, and keys of no namespace as the project's", () => {
    const { own, github } = read(
      "config:\n  keep: 3\n  multiarch-mirror:config:old: x\n  other:thing: 1\n  github:token: t\n",
    );
    expect(own).toEqual({ registry: "ghcr.io", keep: "3", cache: '{"type":"off"}', old: "x" });
    expect(github).toEqual({ baseUrl: "https://ghe.example", token: "t" });
  });

  it("is a mistake where a key stands beside the configuration, or the project's name is misspelled", () => {
    const read = (stack: string) => () => readStackConfig("name: multiarch-mirror\n", stack);
    expect(read("multiarch-mirror:namespace: day\n")).toThrow('"multiarch-mirror:namespace" stands beside "config:"');
    expect(read('config:\n  multiarch-miror:keep: "3"\n')).toThrow(
      '"multiarch-miror:keep" is a key of nobody, did you mean "multiarch-mirror:keep"?',
    );
    expect(read("config:\n  github:token: x\n  aws:region: y\nencryptionsalt: v1:x:v1:y\n")).not.toThrow();
  });

  it("is empty where the stack's file is", () => {
    expect(read("").own).toEqual({ registry: "ghcr.io", keep: "10", cache: '{"type":"off"}' });
  });

  it.each([
    ["a secret", "config:\n  multiarch-mirror:namespace:\n    secure: v1:abc\n", ["namespace"]],
    ["one within a map", "config:\n  multiarch-mirror:apps: { tiny: { secure: v1:abc } }\n", ["apps"]],
    ["one of the provider", "config:\n  github:token:\n    secure: v1:abc\n", ["token"]],
    ["an environment", "environment: [shared]\n", ["environment"]],
    ["nothing of another namespace", "config:\n  other:token:\n    secure: v1:abc\n", []],
  ])("says what only Pulumi can read: %s", (_, config, sealed) => {
    expect(read(config).sealed).toEqual(sealed);
  });

  it.each([
    ["no YAML", "config: [\n"],
    ["laid out otherwise", "config: [1]\n"],
  ])("is refused when it is %s", (_, config) => {
    expect(() => read(config)).toThrow("stack configuration");
  });
});
