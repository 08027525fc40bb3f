import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { signingByKey, verified } from "./support/signedBundles";

describe("somebody else writes to the registry", () => {
  let mirror: MirrorUnderTest;
  const name = (tag: string): string => mirror.registry.name("tiny", tag);

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: tinyApp("1.0.0"),
    });
    mirror.configure({ attest: signingByKey(mirror) });
    expect(errorsOf(await mirror.up())).toBe("");
  });
  afterAll(() => mirror?.stop());

  it.each([
    ["1.1.0", "with the mirror's own labels, a whole index", true, false],
    ["1.2.0", "with the mirror's own labels, one platform only", true, true],
    ["1.3.0", "beside a kept state, one platform only", false, true],
  ])(
    "F26 %s, pushed under a wanted tag %s, is named, and not signed, completed or made latest",
    async (version, _, lose, single) => {
      const { digest: index, platforms } = await mirror.registry.index("tiny", "1.0.0");
      const source = name(single ? platforms["linux/amd64"]! : index);
      // A copy of our own image, made another manifest by an annotation, so that none of our signatures is about it.
      await mirror.registry.regctl(
        "image",
        "mod",
        "--annotation",
        `stranger=${version}`,
        "--create",
        name(version),
        source,
      );
      await tinyUpstream(mirror.sandbox, "tiny", [{ version }]);
      if (lose) await mirror.loseState();
      const digest = await mirror.registry.digest("tiny", version);
      expect(digest).not.toBe(single ? platforms["linux/amd64"] : index);
      mirror.mark();
      const run = await mirror.up();
      expect(run.exitCode).not.toBe(0);
      expect(errorsOf(run)).toMatch(
        new RegExp(`${version.replaceAll(".", "\\.")}: the image under this tag is not ours`),
      );
      expect(await mirror.registry.digest("tiny", version)).toBe(digest);
      expect(await mirror.registry.digest("tiny", "latest")).toBe(index);
      expect(mirror.writes()).toEqual([]);
    },
  );

  it("F27 a signed version under the tag of another is seen, with and without the state", async () => {
    await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.4.0" }]);
    await mirror.registry.regctl("image", "copy", name("1.0.0"), name("1.4.0"));
    for (const lose of [false, true]) {
      if (lose) await mirror.loseState();
      const preview = await mirror.preview();
      expect(preview.exitCode).not.toBe(0);
      expect(preview.output).toMatch(/1\.4\.0: the image under this tag is not ours: what is signed about it says/);
    }
  });

  it("F26 an index that lists our own images for each other's platform is named, and not signed", async () => {
    mirror.configure({ attest: signingByKey(mirror), keep: 5 });
    const { mediaType, digest: whole } = await mirror.registry.index("tiny", "1.0.0");
    const text = await mirror.registry.raw("tiny", whole);
    const swapped = text.replace(/amd64|arm64/g, (name) => (name === "amd64" ? "arm64" : "amd64"));
    expect(await mirror.registry.putManifest("tiny", "1.0.0", mediaType, swapped)).toBe(201);
    const digest = await mirror.registry.digest("tiny", "1.0.0");
    await mirror.loseState();
    mirror.mark();
    const run = await mirror.up();
    expect(run.exitCode).not.toBe(0);
    expect(errorsOf(run)).toMatch(
      /1\.0\.0: the image under this tag is not ours: its image for linux\/arm64 is one for linux\/amd64/,
    );
    expect(await verified(mirror, "tiny", digest)).toEqual([]);
    expect(mirror.writes()).toEqual([]);
    expect(await mirror.registry.putManifest("tiny", "1.0.0", mediaType, text)).toBe(201);
  });

  it("F26 an index of our own images and a stranger's is named, and not signed for their sake", async () => {
    mirror.configure({ attest: signingByKey(mirror), keep: 5 });
    const { digest: index, platforms } = await mirror.registry.index("tiny", "1.0.0");
    const amd64 = name(platforms["linux/amd64"]!);
    const made = ["--annotation", "stranger=beside", "--create", name("beside")];
    await mirror.registry.regctl("image", "mod", ...made, amd64);
    const listed = [...Object.values(platforms).map(name), name("beside")];
    const references = listed.flatMap((reference) => ["--ref", reference]);
    await mirror.registry.regctl("index", "create", name("1.0.0"), ...references);
    const digest = await mirror.registry.digest("tiny", "1.0.0");
    expect(digest).not.toBe(index);
    for (const lose of [false, true]) {
      if (lose) await mirror.loseState();
      mirror.mark();
      const run = await mirror.up();
      expect(run.exitCode).not.toBe(0);
      expect(errorsOf(run)).toMatch(
        /1\.0\.0: the image under this tag is not ours: its index is not signed, and holds/,
      );
      expect(await mirror.registry.digest("tiny", "1.0.0")).toBe(digest);
      expect(mirror.writes()).toEqual([]);
    }
  });
});

describe("a tag is swapped where nothing is signed, and the state is gone", () => {
  let mirror: MirrorUnderTest;
  const name = (tag: string): string => mirror.registry.name("tiny", tag);

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: tinyApp("1.0.0", "1.1.0"),
    });
    expect(errorsOf(await mirror.up())).toBe("");
  });
  afterAll(() => mirror?.stop());

  it.each<[string, readonly string[], RegExp]>([
    [
      "to another version",
      ["image", "copy"],
      /its image for linux\/amd64 is labelled org\.opencontainers\.image\.version="1\.0\.0", wanted is "1\.1\.0"/,
    ],
    [
      "to an image that says nothing of this mirror",
      ["image", "mod", "--label", "org.opencontainers.image.version=", "--create", "CREATED"],
      /its image for linux\/amd64 has no label org\.opencontainers\.image\.version, wanted is "1\.1\.0"/,
    ],
  ])("F27 %s: it is named, left as it is, and no floating tag goes to it", async (_, how, told) => {
    const older = await mirror.registry.digest("tiny", "1.0.0");
    const argv = how.map((part) => (part === "CREATED" ? name("1.1.0") : part));
    await mirror.registry.regctl(...argv, name("1.0.0"), ...(how.includes("CREATED") ? [] : [name("1.1.0")]));
    await mirror.registry.regctl("image", "copy", name("1.0.0"), name("latest"));
    const swapped = await mirror.registry.digest("tiny", "1.1.0");
    await mirror.loseState();
    const run = await mirror.up();
    expect(run.exitCode).not.toBe(0);
    expect(errorsOf(run)).toMatch(/^tiny: 1\.1\.0: the image under this tag is not ours: /);
    expect(errorsOf(run)).toMatch(told);
    expect(await mirror.registry.digest("tiny", "1.1.0")).toBe(swapped);
    expect(await mirror.registry.digest("tiny", "latest")).toBe(older);
  });
});
