import { describe, expect, it } from "vitest";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import type { BuildRecord } from "../../components/model/buildRecord";
import { provenance, recordsIn } from "../../components/attest/provenance";
import { parseSlsaProvenance, type SlsaProvenance } from "../../components/attest/slsaProvenance";
import { exampleBuild, exampleImages, exampleRecord } from "./fixtures";

const repository = "localhost:5000/mirror/app";
const amd = exampleBuild("linux/amd64");
const arm = exampleBuild("linux/arm64");
const of = (records: readonly BuildRecord[], present = {}): SlsaProvenance | undefined =>
  provenance(composeVersionRecord({ ...exampleRecord, repository, records, present }), exampleImages);
const written = (records: readonly BuildRecord[] = [amd, arm], present = {}): SlsaProvenance => {
  const predicate = of(records, present);
  if (predicate) return predicate;
  throw new Error("nothing was built");
};

describe("the provenance of a version", () => {
  it("names source, recipe, Dockerfile, frontend, every change to the build, builder, run and images", () => {
    const { buildDefinition, runDetails } = written();
    expect(buildDefinition.externalParameters).toEqual({
      source: { repository: "https://github.com/example/app", tag: "v1.2.3", commit: "a".repeat(40) },
      version: "1.2.3",
      image: { repository, tag: "1.2.3" },
      dockerfile: { path: "build/Dockerfile", owner: "upstream" },
      subdirectory: "server",
      namedContexts: { "linux/amd64": amd.namedContexts, "linux/arm64": arm.namedContexts },
      buildArguments: { "linux/amd64": amd.buildArguments, "linux/arm64": arm.buildArguments },
      platforms: ["linux/amd64", "linux/arm64"],
    });
    expect(buildDefinition.resolvedDependencies).toEqual([
      {
        name: "source",
        uri: "git+https://github.com/example/app@refs/tags/v1.2.3",
        digest: { gitCommit: "a".repeat(40) },
      },
      { name: "recipe", uri: "git+https://github.com/example/mirror", digest: { gitCommit: "d".repeat(40) } },
      { name: "Dockerfile build/Dockerfile", digest: { sha256: "e".repeat(64) } },
      { name: "frontend", uri: "docker://docker.io/docker/dockerfile:1", digest: { sha256: "f".repeat(64) } },
      {
        name: "docker.io/library/debian:12",
        uri: "docker://docker.io/library/debian:12",
        digest: { sha256: "b".repeat(64) },
      },
      { name: "gcr.io/other:1", uri: "docker://gcr.io/other:1", digest: { sha256: "0".repeat(64) } },
      { uri: "https://example.org/amd64.tar.gz", digest: { sha256: "c".repeat(64) } },
    ]);
    expect(runDetails).toMatchObject({
      builder: { id: amd.builder.id },
      metadata: amd.run,
      byproducts: [
        { name: "linux/amd64", digest: { sha256: "1".repeat(64) } },
        { name: "linux/arm64", digest: { sha256: "2".repeat(64) } },
        { name: "build record linux/amd64" },
        { name: "build record linux/arm64" },
      ],
    });
  });

  it("holds the build records it was written from, so that it can be written again from what is signed", () => {
    const records = recordsIn(JSON.parse(JSON.stringify(written())));
    expect(records).toEqual([amd, arm]);
    expect(of(records)).toEqual(written());
    expect(recordsIn({})).toEqual([]);
    const broken = structuredClone(written());
    Object.assign(broken.runDetails.byproducts?.[2] ?? {}, { content: Buffer.from("{}").toString("base64") });
    expect(recordsIn(broken)).toEqual([arm]);
  });

  it("claims nothing about what was copied but where it was copied from", () => {
    const from = `docker.io/example/app@${amd.image.digest}`;
    const { checks, builder, run, image, schemaVersion, app, version, tag } = amd;
    const copied: BuildRecord = {
      ...{
        origin: "copied",
        schemaVersion,
        app,
        version,
        tag,
        platform: "linux/amd64",
        image,
        checks,
        builder,
        run,
        from,
      },
    };
    const { externalParameters, resolvedDependencies } = written([copied, arm]).buildDefinition;
    expect(externalParameters["builtPlatforms"]).toEqual(["linux/arm64"]);
    expect(Object.keys(externalParameters["buildArguments"] as object)).toEqual(["linux/arm64"]);
    expect(resolvedDependencies).toContainEqual({
      name: "copied linux/amd64",
      uri: `docker://${from}`,
      digest: { sha256: "1".repeat(64) },
    });
    expect(of([copied])).toBeUndefined();
  });

  it("is about the builds of the last run alone, and says of an image of another where it is", () => {
    const earlier = { ...amd, run: { startedOn: "2025-01-01T00:00:00Z", finishedOn: "2025-01-01T00:01:00Z" } };
    const { buildDefinition, runDetails } = written([earlier, arm], { "linux/amd64": amd.image.digest });
    expect(runDetails.metadata).toEqual(arm.run);
    expect(buildDefinition.externalParameters["builtPlatforms"]).toEqual(["linux/arm64"]);
    expect(buildDefinition.resolvedDependencies).toContainEqual(
      expect.objectContaining({ name: "built linux/amd64", digest: { sha256: "1".repeat(64) } }),
    );
  });

  it("names the images of this mirror it was built on, each platform's by digest", () => {
    const base = (digest: `sha256:${string}`) => ({ reference: "example/base", digest });
    const { resolvedDependencies } = written([
      { ...amd, bases: [base(`sha256:${"7".repeat(64)}`)] },
      { ...arm, bases: [base(`sha256:${"8".repeat(64)}`)] },
    ]).buildDefinition;
    const digests = resolvedDependencies?.flatMap(({ name, digest }) => (name === "example/base" ? [digest] : []));
    expect(digests).toEqual([{ sha256: "7".repeat(64) }, { sha256: "8".repeat(64) }]);
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
