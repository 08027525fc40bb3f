import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { describe, expect, it } from "vitest";
import { predicateTypes } from "../../components/model/attestationKind";
import { versionRecordSchema } from "../../components/model/versionRecord";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import { mirrorPredicate } from "../../components/attest/mirrorPredicate";
import { exampleBuild, exampleImages, exampleRecord } from "./fixtures";

const schema = JSON.parse(readFileSync(join(__dirname, "../../schemas/mirror-v1.schema.json"), "utf8")) as {
  $id: string;
};
const valid = new Ajv({ allErrors: true }).compile(schema);
const image = {
  repository: "ghcr.io/example/app",
  digest: `sha256:${"3".repeat(64)}`,
  platforms: exampleImages,
} as const;

describe("the mirror record", () => {
  it("is what its published schema describes, under the type the schema names", () => {
    const record = mirrorPredicate(exampleRecord, image);
    expect(valid(record), JSON.stringify(valid.errors)).toBe(true);
    expect(schema.$id).toBe(predicateTypes.mirror);
    expect(record).toMatchObject({
      upstream: exampleRecord.upstream,
      image: { repository: "ghcr.io/example/app", tag: "1.2.3", digest: image.digest },
      platforms: [
        { platform: "linux/amd64", digest: exampleImages["linux/amd64"], origin: "built" },
        { platform: "linux/arm64", digest: exampleImages["linux/arm64"], origin: "built" },
      ],
      baseImages: exampleBuild("linux/amd64").bases,
    });
  });

  it("calls a platform kept that was in the index before", () => {
    const platforms = { "linux/arm64": { origin: "built" as const } };
    const record = mirrorPredicate({ ...exampleRecord, platforms }, image);
    expect(record.platforms.map(({ origin }) => origin)).toEqual(["kept", "built"]);
    expect(valid(record)).toBe(true);
  });

  it("says of what others published that it was taken over, and names no base, as nobody here saw it made", () => {
    const facts = { ...exampleRecord, repository: image.repository, records: [], present: exampleImages };
    const record = mirrorPredicate(composeVersionRecord({ ...facts, adopted: ["linux/arm64"] }), image);
    expect(record.platforms).toEqual([
      expect.not.objectContaining({ adopted: true }),
      expect.objectContaining({ platform: "linux/arm64", origin: "kept", adopted: true }),
    ]);
    expect(record.baseImages).toEqual([]);
    expect(valid(record), JSON.stringify(valid.errors)).toBe(true);
  });

  it.each([
    ["upstream without a commit", { upstream: { ...exampleRecord.upstream, commit: undefined } }],
    ["an empty tag", { tag: "" }],
    ["an origin that is none", { platforms: { "linux/amd64": { origin: "stolen" } } }],
    ["a field nobody knows", { maintainer: "x" }],
  ])("is not written for a build record with %s", (_, change) => {
    expect(versionRecordSchema.safeParse({ ...exampleRecord, ...change }).success).toBe(false);
  });

  it("is not written for an image that lists no platform, and the schema refuses it too", () => {
    const bare = { ...image, platforms: {} };
    expect(() => mirrorPredicate(exampleRecord, bare)).toThrow(/platforms/);
    const record = mirrorPredicate(exampleRecord, image);
    expect(valid({ ...record, platforms: [] })).toBe(false);
    expect(valid({ ...record, extra: 1 })).toBe(false);
  });
});
