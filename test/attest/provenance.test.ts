import { describe, expect, it } from "vitest";
import { buildRecordSchema } from "../../components/model/buildRecord";
import { provenance } from "../../components/attest/provenance";
import { parseSlsaProvenance, type SlsaProvenance } from "../../components/attest/slsaProvenance";
import { exampleImages, exampleRecord } from "./fixtures";

const written = (change: object = {}): SlsaProvenance =>
  provenance(buildRecordSchema.parse({ ...exampleRecord, ...change }), exampleImages);

describe("the provenance of a version", () => {
  it("names source, recipe, every change to the build, builder, run and images", () => {
    const { buildDefinition, runDetails } = written({
      run: { ...exampleRecord.run, finishedOn: "2026-01-01T00:10:00.500Z" },
    });
    expect(buildDefinition.externalParameters).toMatchObject({
      source: { repository: "https://github.com/example/app", tag: "v1.2.3", commit: "a".repeat(40) },
      dockerfile: { path: "build/Dockerfile", owner: "upstream" },
      subdirectory: "server",
      namedContexts: exampleRecord.namedContexts,
      buildArguments: exampleRecord.buildArguments,
      platforms: ["linux/amd64", "linux/arm64"],
    });
    expect(buildDefinition.resolvedDependencies).toEqual([
      {
        name: "source",
        uri: "git+https://github.com/example/app@refs/tags/v1.2.3",
        digest: { gitCommit: "a".repeat(40) },
      },
      { name: "recipe", uri: "git+https://github.com/example/mirror", digest: { gitCommit: "d".repeat(40) } },
      {
        name: "docker.io/library/debian:12",
        uri: "docker://docker.io/library/debian:12",
        digest: { sha256: "b".repeat(64) },
      },
      { name: "gcr.io/other:1", uri: "docker://gcr.io/other:1" },
      { uri: "https://example.org/amd64.tar.gz", digest: { sha256: "c".repeat(64) } },
    ]);
    expect(runDetails).toEqual({
      builder: { id: exampleRecord.builder.id },
      metadata: { ...exampleRecord.run, finishedOn: "2026-01-01T00:10:00.500Z" },
      byproducts: [
        { name: "linux/amd64", digest: { sha256: "1".repeat(64) } },
        { name: "linux/arm64", digest: { sha256: "2".repeat(64) } },
      ],
    });
  });

  it("says which platforms were built when others were copied or kept", () => {
    const platforms = {
      "linux/amd64": { origin: "copied", from: "docker.io/example/app@sha256:1" },
      "linux/arm64": { origin: "built" },
    };
    const { externalParameters, resolvedDependencies } = written({ platforms }).buildDefinition;
    expect(externalParameters["builtPlatforms"]).toEqual(["linux/arm64"]);
    expect(resolvedDependencies).toContainEqual({
      name: "copied linux/amd64",
      uri: "docker://docker.io/example/app@sha256:1",
    });
  });

  it("leaves the run out where it is not known, and says that it was reconstructed", () => {
    const { buildDefinition, runDetails } = written({ run: undefined, reconstructed: true });
    expect(runDetails).not.toHaveProperty("metadata");
    expect(buildDefinition.externalParameters["reconstructed"]).toBe(true);
  });
});

describe("checking against SLSA v1", () => {
  const set = (path: readonly string[], value: unknown): unknown => {
    const copy: unknown = structuredClone(written());
    let inner = copy as Record<string, unknown>;
    for (const key of path.slice(0, -1)) inner = inner[key] as Record<string, unknown>;
    const last = path.at(-1) ?? "";
    // What is undefined is not there once written as JSON.
    inner[last] = value;
    return JSON.parse(JSON.stringify(copy)) as unknown;
  };

  it("accepts what was written", () => {
    expect(parseSlsaProvenance(written())).toEqual(written());
  });

  it.each<[string, unknown]>([
    ["buildDefinition", undefined],
    ["buildDefinition.buildType", undefined],
    ["buildDefinition.buildType", ""],
    ["buildDefinition.buildType", "not a URI"],
    ["buildDefinition.externalParameters", undefined],
    ["buildDefinition.externalParameters", {}],
    ["buildDefinition.externalParameters.source.commit", ""],
    ["buildDefinition.externalParameters.dockerfile", null],
    ["buildDefinition.resolvedDependencies.0", { name: "nothing else" }],
    ["buildDefinition.resolvedDependencies.0.digest", {}],
    ["buildDefinition.resolvedDependencies.0.digest.gitCommit", "abc"],
    ["buildDefinition.resolvedDependencies.0.digest.md5", "0".repeat(32)],
    ["runDetails", undefined],
    ["runDetails.builder", {}],
    ["runDetails.builder.id", ""],
    ["runDetails.metadata.startedOn", "yesterday"],
    ["runDetails.metadata.invocationId", ""],
    ["runDetails.metadata", { startedOn: "2026-01-01T00:00:00.5Z", finishedOn: "2026-01-01T00:00:00Z" }],
  ])("refuses %s = %j, naming the path", (path, value) => {
    const reduced = set(path.split("."), value);
    const parent = path.split(".").slice(0, 3).join(".");
    expect(() => parseSlsaProvenance(reduced)).toThrow(parent.split(".").slice(0, 2).join("."));
  });

  it.each([
    "buildDefinition.buildTyp",
    "runDetails.metadata.invocationID",
    "runDetails.builder.version_",
    "buildDefinition.resolvedDependencies.0.uir",
    "materials",
  ])("refuses the unknown or misspelt %s", (path) => {
    const place = path.replace(".0.", "[0].");
    expect(() => parseSlsaProvenance(set(path.split("."), "x"))).toThrow(`${place}: "x"; there is no such key`);
  });

  it("refuses {} and lists all that is missing", () => {
    expect(() => parseSlsaProvenance({})).toThrow(/buildDefinition.*runDetails/);
  });

  it("allows a build argument that is empty on purpose", () => {
    const { externalParameters } = written().buildDefinition;
    expect(externalParameters["buildArguments"]).toMatchObject({ "linux/amd64": { EMPTY: "" } });
  });
});
