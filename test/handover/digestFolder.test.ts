import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatDigestFile, type HandedOverImage } from "../../components/handover/digestFile";
import { readDigestFolder, writeDigestFiles } from "../../components/handover/digestFolder";
import type { Digest } from "../../components/model/digest";
import { ConfigError } from "../../components/config/problems";

const digest: Digest = `sha256:${"a".repeat(64)}`;
const other: Digest = `sha256:${"b".repeat(64)}`;
const image: HandedOverImage = {
  app: "tiny",
  version: "1.0.0",
  commit: "c".repeat(40),
  platform: "linux/amd64",
  repository: "registry.example/mirror/tiny",
  digest,
};
const arm: HandedOverImage = { ...image, platform: "linux/arm64", digest: other };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "digests-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: unknown): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}

const file = (...images: readonly object[]): object => ({ schemaVersion: 1, images });
const read = () => readDigestFolder(folder, (app) => `registry.example/mirror/${app}`);

async function problems(): Promise<readonly string[]> {
  const error: unknown = await read().catch((caught: unknown) => caught);
  if (error instanceof ConfigError) return error.problems;
  throw new Error(`expected a ConfigError, not ${JSON.stringify(error)}`);
}

describe("digest files", () => {
  it("bring the images of one machine to another, whichever folder they are downloaded into", async () => {
    await writeDigestFiles(join(folder, "one"), ["linux/amd64"], [image, arm]);
    await writeDigestFiles(join(folder, "two"), ["linux/arm64", "linux/ppc64le"], [image, arm]);
    expect(readdirSync(join(folder, "two"))).toEqual(["digests-linux-arm64.json", "digests-linux-ppc64le.json"]);
    const [amd64, arm64] = [`${image.repository}@${digest}`, `${image.repository}@${other}`];
    expect(await read()).toEqual({ tiny: { "1.0.0": { "linux/amd64": amd64, "linux/arm64": arm64 } } });
  });

  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /^digest file "a\.json": it is no JSON: .*; accepted is what a build run wrote$/],
    ["a list", [], /^digest file "a\.json": \[\]; accepted is /],
    ["another schema", { schemaVersion: 2, images: [] }, /^digest file "a\.json" schemaVersion: 2; accepted is 1$/],
    ["no images", { schemaVersion: 1 }, /^digest file "a\.json" images: .*; accepted is a list$/],
    [
      "an unknown key",
      { ...file(), more: 1 },
      /^digest file "a\.json" more: 1; there is no such key; known are schemaVersion, images$/,
    ],
    ["no digest", file({ ...image, digest: "latest" }), /images\[0\]\.digest: "latest"; accepted is "sha256:"/],
    ["a tag", file({ ...image, digest: `${digest}:1` }), /images\[0\]\.digest: .*; accepted is "sha256:"/],
    ["no platform", file({ ...image, platform: "arm" }), /images\[0\]\.platform: "arm"; accepted is a platform/],
    ["a short commit", file({ ...image, commit: "abc" }), /images\[0\]\.commit: "abc"; accepted are 40/],
    ["a version with a line break", file({ ...image, version: "1\n2" }), /images\[0\]\.version: "1\\n2"; accepted/],
    [
      "the repository of another",
      file({ ...image, repository: "registry.example/mirror/big" }),
      /^tiny 1\.0\.0 linux\/amd64: "registry\.example\/mirror\/big" is not .*; accepted is registry\.example\/mirror\/tiny$/,
    ],
    ["two images for one platform", file(image, { ...image, digest: other }), /two files name different images/],
  ])("with %s are refused by a line that says so", async (_, content, line) => {
    put("a.json", content);
    expect(await problems()).toEqual([expect.stringMatching(line)]);
  });

  it("have all their mistakes told together", async () => {
    put("one/a.json", file({ ...image, digest: "latest", commit: "abc" }, { ...image, platform: 7 }));
    put("two/b.json", "no JSON");
    put("two/c.json", file({ ...image, repository: "elsewhere" }));
    expect(await problems()).toEqual([
      expect.stringContaining('"one/a.json" images[0].commit'),
      expect.stringContaining('"one/a.json" images[0].digest'),
      expect.stringContaining('"one/a.json" images[1].platform: 7'),
      expect.stringContaining('"two/b.json"'),
      expect.stringContaining('"elsewhere"'),
    ]);
  });

  it("that are not there are a mistake of the environment", async () => {
    rmSync(folder, { recursive: true });
    expect(await problems()).toEqual([expect.stringMatching(/^MIRROR_DIGESTS: .* cannot be read: .*; accepted is/)]);
  });

  it("cannot reach what all objects inherit", async () => {
    const strange = ["__proto__", "constructor"].flatMap((name) => [
      { ...image, app: name, repository: `registry.example/mirror/${name}` },
      { ...image, version: name },
    ]);
    put("a.json", formatDigestFile(strange));
    const handed = await read();
    expect(Object.keys(handed).toSorted()).toEqual(["__proto__", "constructor", "tiny"]);
    expect(({} as Record<string, unknown>)["linux/amd64"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["1.0.0"]).toBeUndefined();
    expect((Object as unknown as Record<string, unknown>)["linux/amd64"]).toBeUndefined();
  });
});
