import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { Attestation } from "../../components/declare/attestation";
import { attestConfigSchema } from "../../components/config/attestConfig";
import { parseAttestPlan, planVariable } from "../../components/attest/attestPlan";
import { exampleBuild, exampleRecord } from "../attest/fixtures";

const digest = `sha256:${"1".repeat(64)}`;
const summary = { digest, platforms: {}, added: ["unsigned"] };
const declared: pulumi.runtime.MockResourceArgs[] = [];

beforeEach(async () => {
  declared.length = 0;
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      declared.push(args);
      return { id: args.name, state: { ...(args.inputs as object), stdout: JSON.stringify(summary), stderr: "" } };
    },
    call: ({ token }) => {
      throw new Error(`unexpected call ${token}`);
    },
  });
});

const args = {
  repository: "localhost:5000/mirror/app",
  version: "1.2.3",
  tag: "1.2.3",
  known: [],
  labels: { version: "1.2.3" },
  indexDigest: pulumi.output(digest),
  config: attestConfigSchema.parse({ signing: { mode: "key", key: "cosign.key" } }),
  mode: "fresh",
  record: exampleRecord,
  startedOn: "2026-01-01T00:00:00Z",
} as const;

const resolved = <T>(output: pulumi.Output<T>): Promise<T> =>
  (output as unknown as { promise: () => Promise<T> }).promise();

describe("the attestation of a version", () => {
  it("is one local command with an argument vector, whose data come by variable and standard input", async () => {
    const attestation = new Attestation("app-1.2.3", args);
    expect(await resolved(attestation.summary)).toEqual(summary);
    const commands = declared.filter(({ type }) => type === "command:local:Command");
    expect(declared.map(({ type }) => type).toSorted()).toEqual([
      "command:local:Command",
      "multiarch-mirror:index:Attestation",
    ]);
    const inputs = commands[0]?.inputs as Record<string, unknown>;
    expect(inputs).toMatchObject({ interpreter: ["node", "components/attest/launch.cjs"], create: "attest" });
    // An answer in one line is no log: the official provider reads no line longer than 64 KiB, and goes on waiting for it.
    expect(inputs).toMatchObject({ logging: "none" });
    expect(Object.keys(inputs).toSorted()).toEqual(["create", "dir", "environment", "interpreter", "logging", "stdin"]);
  });

  it("hands over a plan the runner accepts", async () => {
    await resolved(new Attestation("app-1.2.3", args).summary);
    const { environment, stdin } = declared.find(({ type }) => type === "command:local:Command")?.inputs as {
      environment: Record<string, string>;
      stdin: string;
    };
    const plan = parseAttestPlan(environment[planVariable], stdin);
    expect(plan).toMatchObject({
      repository: args.repository,
      indexDigest: digest,
      record: { version: "1.2.3" },
    });
  });

  it("names the SBOMs of the images made for it by their paths", async () => {
    const record = exampleBuild("linux/arm64");
    await resolved(
      new Attestation("app-1.2.3", { ...args, images: [{ record, sbom: "/records/1.2.3.spdx.json" }] }).summary,
    );
    const { environment } = declared.find(({ type }) => type === "command:local:Command")?.inputs as {
      environment: Record<string, string>;
    };
    expect(JSON.parse(environment[planVariable] ?? "")).toMatchObject({
      known: [record.image.digest],
      sboms: { "linux/arm64": "/records/1.2.3.spdx.json" },
      startedOn: args.startedOn,
    });
  });

  it("takes a record an older version of the program left in the state for none", () => {
    const plan = JSON.stringify({ ...args, indexDigest: digest, config: "off", mode: undefined, record: undefined });
    expect(parseAttestPlan(plan, JSON.stringify({ version: "1.2.3", platforms: {} })).record).toBeUndefined();
    expect(() => parseAttestPlan(plan, JSON.stringify({ version: "1.2.3", builds: [] }))).toThrow("record");
  });
});
