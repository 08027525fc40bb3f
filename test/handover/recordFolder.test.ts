import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Ajv from "ajv";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  keepOpenRecords,
  keptRecord,
  readRecords,
  recordsAtHand,
  writeRecord,
} from "../../components/handover/recordFolder";
import type { Configuration } from "../../components/config/configuration";
import { type BuildRecord, buildRecordSchema } from "../../components/model/buildRecord";
import { sbomName } from "../../components/model/sbom";
import { exampleBuild } from "../attest/fixtures";

const repository = "localhost:5000/mirror/app";
const amd = exampleBuild("linux/amd64");
const arm = exampleBuild("linux/arm64");
/** An SBOM as a build run writes it, of the image of a record. */
function sbomOf({ image, platform }: BuildRecord, over: object = {}): Buffer {
  const root = { SPDXID: "SPDXRef-Image", name: image.repository, versionInfo: image.digest };
  const document = {
    spdxVersion: "SPDX-2.3",
    SPDXID: "SPDXRef-DOCUMENT",
    name: sbomName({ ...image, platform }),
    documentNamespace: "https://example.org/sbom",
    creationInfo: { created: "2026-01-01T00:00:00Z" },
    packages: [root],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: root.SPDXID },
    ],
  };
  return Buffer.from(JSON.stringify({ ...document, ...over }));
}
const sbom = sbomOf(amd);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "records-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const place = "linux-amd64/app/1.2.3.json";
function put(content: unknown, name = place): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}
const read = () => readRecords(folder, (app) => `localhost:5000/mirror/${app}`);

describe("build records", () => {
  it("bring the images of one machine to another with their SBOMs, whichever folder they are downloaded into", async () => {
    const written = await writeRecord(join(folder, "one"), amd, sbom);
    await writeRecord(join(folder, "two/deeper"), arm);
    expect(readdirSync(join(folder, "one/linux-amd64/app"))).toEqual(["1.2.3.json", "1.2.3.spdx.json"]);
    const { images, refused } = await read();
    expect(refused).toEqual([]);
    expect(images["app"]?.["1.2.3"]).toEqual({ "linux/amd64": written, "linux/arm64": { record: arm } });
    expect(readFileSync(written.sbom ?? "")).toEqual(sbom);
  });

  it("are what the published schema describes, which knows no further field", () => {
    const schema = JSON.parse(readFileSync("schemas/build-record-v1.schema.json", "utf8")) as Record<string, unknown>;
    const { $schema, ...described } = z.toJSONSchema(buildRecordSchema, { target: "draft-7", unrepresentable: "any" });
    expect($schema).toBe(schema["$schema"]);
    expect(schema).toMatchObject(described);
    const valid = new Ajv({ allErrors: true, formats: { "date-time": true } }).compile(schema);
    expect(valid(amd), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ ...amd, more: 1 })).toBe(false);
  });

  it.each<[string, unknown, RegExp]>([
    [
      "no JSON",
      "{",
      /^build record "linux-amd64\/app\/1\.2\.3\.json": it is not JSON: .*; accepted is what a build run wrote$/,
    ],
    ["a list", [], /^build record .*: \[\]; accepted is /],
    ["another schema", { ...amd, schemaVersion: 2 }, / schemaVersion: 2; accepted is 1$/],
    ["an unknown field", { ...amd, trusted: true }, / trusted: true; there is no such key; known are/],
    [
      "an unknown check",
      { ...amd, checks: { ...amd.checks, more: 1 } },
      / checks\.more: 1; there is no such key; known are/,
    ],
    ["a tag", { ...amd, image: { ...amd.image, digest: "latest" } }, / image\.digest: "latest"; accepted is "sha256:"/],
    ["no checks", { ...amd, checks: undefined }, / checks: /],
    [
      "a short commit",
      { ...amd, upstream: { ...amd.upstream, commit: "abc" } },
      / upstream\.commit: "abc"; accepted is a full/,
    ],
    ["a version with a line break", { ...amd, version: "1\n2" }, / version: "1\\n2"; accepted is a name/],
    ["a way out of the folder", { ...amd, sbom: { file: "../x", sha256: "0".repeat(64) } }, / sbom\.file: "\.\.\/x"; /],
    [
      "another file for its SBOM",
      { ...amd, sbom: { file: "x.json", sha256: "0".repeat(64) } },
      / sbom\.file: "x\.json"; accepted is 1\.2\.3\.spdx\.json/,
    ],
    [
      "another platform's image",
      arm,
      /it is about app 1\.2\.3 linux\/arm64, whose record is linux-arm64\/app\/1\.2\.3\.json/,
    ],
    ["another version's image", { ...amd, version: "1.2.4" }, /it is about app 1\.2\.4 linux\/amd64/],
    [
      "another repository",
      { ...amd, image: { ...amd.image, repository: "ghcr.io/evil/app" } },
      /"ghcr\.io\/evil\/app" is not the repository of this app/,
    ],
    [
      "an SBOM that is not there",
      { ...amd, sbom: { file: "1.2.3.spdx.json", sha256: "0".repeat(64) } },
      /the SBOM "1\.2\.3\.spdx\.json" is not beside it/,
    ],
  ])("with %s are refused by a line that says so, and the others count", async (_, content, line) => {
    put(content);
    await writeRecord(folder, arm);
    const { images, refused } = await read();
    expect(refused).toEqual([expect.stringMatching(line)]);
    expect(Object.keys(images["app"]?.["1.2.3"] ?? {})).toEqual(["linux/arm64"]);
  });

  it("that cannot be read, or are far too long, are refused by a line, and the others count", async () => {
    mkdirSync(join(folder, place), { recursive: true });
    put(" ".repeat(2 * 1024 * 1024), "linux-amd64/app/1.2.4.json");
    await writeRecord(folder, arm);
    const { images, refused } = await read();
    expect(refused).toEqual([
      expect.stringMatching(/1\.2\.3\.json" cannot be read: /),
      expect.stringMatching(/1\.2\.4\.json" cannot be read: it has 2097152 bytes; accepted are 1048576$/),
    ]);
    expect(Object.keys(images["app"]?.["1.2.3"] ?? {})).toEqual(["linux/arm64"]);
  });

  it("are refused when the SBOM beside them is not the one that was made", async () => {
    await writeRecord(folder, amd, sbom);
    writeFileSync(join(folder, "linux-amd64/app/1.2.3.spdx.json"), "{}");
    expect((await read()).refused).toEqual([expect.stringMatching(/has another checksum$/)]);
  });

  it.each<[string, Buffer, RegExp]>([
    ["another platform's", sbomOf(arm), /is named ".*2 \(linux\/arm64\)", wanted is ".*1 \(linux\/amd64\)"$/],
    [
      "another version's",
      sbomOf({ ...amd, image: { ...amd.image, digest: arm.image.digest } }),
      /is named ".*2 \(linux\/amd64\)", wanted is ".*1 \(linux\/amd64\)"$/,
    ],
    [
      "another app's",
      sbomOf({ ...amd, image: { ...amd.image, repository: "localhost:5000/mirror/other" } }),
      /is named "localhost:5000\/mirror\/other@/,
    ],
    [
      "another platform's by another name",
      sbomOf(arm, { name: sbomName({ ...amd.image, platform: "linux/amd64" }) }),
      /describes "sha256:2{64}", wanted is sha256:1{64}$/,
    ],
    [
      "one with packages of another architecture",
      sbomOf(amd, {
        packages: [
          {
            SPDXID: "SPDXRef-a",
            externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:apk/alpine/musl@1?arch=aarch64" }],
          },
        ],
      }),
      /names "pkg:apk\/alpine\/musl@1\?arch=aarch64", of another architecture$/,
    ],
    ["one without packages", sbomOf(amd, { packages: [] }), /is no SPDX 2\.3 document: packages: \[\]; /],
    [
      "one of another version of SPDX",
      sbomOf(amd, { spdxVersion: "SPDX-3.0" }),
      /spdxVersion: "SPDX-3\.0"; accepted is/,
    ],
    ["an empty file", Buffer.from(""), /cannot be read: .*JSON/],
    ["null", Buffer.from("null"), /is no SPDX 2\.3 document: the whole: null; accepted is a map/],
    ["one no log would take", sbomOf(amd, { comment: "x".repeat(2 ** 21) }), /it has \d+ bytes; accepted are 2097152$/],
  ])("are refused when the SBOM handed over is %s, with its checksum", async (_, document, line) => {
    await writeRecord(folder, amd, document);
    await writeRecord(folder, arm, sbomOf(arm));
    const { images, refused } = await read();
    expect(refused).toEqual([expect.stringMatching(line)]);
    expect(refused[0]).toMatch(/^build record "linux-amd64\/app\/1\.2\.3\.json": the SBOM "1\.2\.3\.spdx\.json" /);
    expect(Object.keys(images["app"]?.["1.2.3"] ?? {})).toEqual(["linux/arm64"]);
  });

  it("are refused where they, or the SBOM beside them, are no files: what is none may never end", async () => {
    const path = join(folder, place);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync("/dev/zero", path);
    await writeRecord(folder, arm, sbomOf(arm));
    const beside = join(folder, "linux-arm64/app/1.2.3.spdx.json");
    rmSync(beside);
    symlinkSync("/dev/zero", beside);
    expect(await read()).toEqual({
      images: {},
      refused: [
        expect.stringMatching(/amd64\/app\/1\.2\.3\.json" cannot be read: it is no file$/),
        expect.stringMatching(/the SBOM "1\.2\.3\.spdx\.json" cannot be read: it is no file$/),
      ],
    });
  });

  it("are both refused when two name different images for one platform of a version", async () => {
    await writeRecord(join(folder, "one"), amd);
    await writeRecord(join(folder, "two"), { ...amd, image: { repository, digest: arm.image.digest } });
    await writeRecord(folder, arm);
    const { images, refused } = await read();
    expect(refused).toEqual([
      "app 1.2.3 linux/amd64: two build records name different images; accepted is one of them",
    ]);
    expect(Object.keys(images["app"]?.["1.2.3"] ?? {})).toEqual(["linux/arm64"]);
  });

  it("are kept for an image that is built already, with its SBOM, and not for any other", async () => {
    const written = await writeRecord(folder, amd, sbom);
    const later = {
      ...amd,
      run: { ...amd.run, startedOn: "2027-01-01T00:00:00Z", finishedOn: "2027-01-01T00:01:00Z" },
    };
    expect(await keptRecord(folder, later)).toEqual(written);
    expect(await keptRecord(folder, { ...later, image: { repository, digest: arm.image.digest } })).toBeUndefined();
    expect(await keptRecord(folder, { ...later, tag: "other" })).toBeUndefined();
    expect(await keptRecord(folder, arm)).toBeUndefined();
  });

  it("cannot be read from a folder that is not there", async () => {
    rmSync(folder, { recursive: true });
    await expect(read()).rejects.toThrow(/MIRROR_DIGESTS: .* cannot be read: .*; accepted is/);
  });

  it("cannot reach what all objects inherit", async () => {
    for (const name of ["__proto__", "constructor"]) {
      await writeRecord(folder, {
        ...amd,
        app: name,
        image: { ...amd.image, repository: `localhost:5000/mirror/${name}` },
      });
    }
    const { images } = await read();
    expect(Object.keys(images).toSorted()).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["1.2.3"]).toBeUndefined();
    expect((Object as unknown as Record<string, unknown>)["1.2.3"]).toBeUndefined();
  });
});

describe("records of versions that got no tag", () => {
  const project = { repository: "https://example.org/mirror", commit: "c".repeat(40) };
  const built = { ...amd, project };
  const configuration = (more: object = {}): Configuration =>
    ({
      registry: "localhost:5000",
      namespace: "mirror",
      run: { phase: "all", records: folder, ...more },
    }) as Configuration;

  it("stand for builds of later runs, as long as the project is at the commit they were made at", async () => {
    await writeRecord(folder, built, sbom);
    const at = async (commit: string | undefined) =>
      (await recordsAtHand(configuration(), () => (commit === undefined ? undefined : { ...project, commit }))).images;
    expect(Object.keys((await at(project.commit))["app"]?.["1.2.3"] ?? {})).toEqual(["linux/amd64"]);
    expect(await at("d".repeat(40))).toEqual({});
    expect(await at(undefined)).toEqual({});
  });

  it("give way to what was handed over to this run, and are nobody's mistake when they cannot be read", async () => {
    const digests = join(folder, "digests");
    const records = join(folder, "records");
    await writeRecord(records, built);
    put("{", "records/linux-arm64/app/1.2.3.json");
    const newer = { ...built, image: { ...amd.image, digest: arm.image.digest } };
    await writeRecord(digests, newer);
    const found = await recordsAtHand(configuration({ phase: "publish", digests, records }), () => project);
    expect(found.images["app"]?.["1.2.3"]).toEqual({ "linux/amd64": { record: newer } });
    expect(found.refused).toEqual([]);
    expect(found.handedOver).toEqual(found.images);
  });

  it("stay until their version is published, and those of apps nobody looked at stay as well", async () => {
    const other = (app: string) => ({
      ...built,
      app,
      image: { ...built.image, repository: `localhost:5000/mirror/${app}` },
    });
    await writeRecord(folder, other("done"), sbomOf(other("done")));
    await writeRecord(folder, other("unseen"), sbomOf(other("unseen")));
    const open = await writeRecord(join(folder, "handed"), built, sbom);
    const kept = join(folder, "kept");
    for (const app of ["done", "unseen"]) await writeRecord(kept, other(app), sbomOf(other(app)));
    const isOpen = (app: string) => ({ app: true, done: false })[app];
    await keepOpenRecords(kept, { app: { "1.2.3": { "linux/amd64": open } } }, isOpen);
    const files = readdirSync(kept, { recursive: true }).map(String);
    expect(files.filter((name) => name.endsWith(".json")).toSorted()).toEqual([
      "linux-amd64/app/1.2.3.json",
      "linux-amd64/app/1.2.3.spdx.json",
      "linux-amd64/unseen/1.2.3.json",
      "linux-amd64/unseen/1.2.3.spdx.json",
    ]);
  });
});
