import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { placeWhole, readKept, writeKept, writeWhole } from "../../components/system/placeWhole";

const newFolder = (): string => mkdtempSync(join(tmpdir(), "place-whole-"));

describe("putting a file in place", () => {
  it("makes its folder, replaces what is there, and leaves nothing beside it", async () => {
    const folder = join(newFolder(), "sub");
    for (const content of ["one", "two"]) await writeWhole(join(folder, "file"), content);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("is right when many do it at once", async () => {
    const file = join(newFolder(), "file");
    const contents = Array.from({ length: 20 }, (_, at) => `${at}`.repeat(100_000));
    await Promise.all(contents.map((content) => writeWhole(file, content)));
    expect(contents).toContain(readFileSync(file, "utf8"));
    expect(readdirSync(join(file, ".."))).toEqual(["file"]);
  });

  it("leaves the old one, and nothing beside it, when making or renaming fails", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "file"), "old");
    const making = placeWhole(join(folder, "file"), async (draft) => {
      await writeFile(draft, "half");
      throw new Error("disk full");
    });
    await expect(making).rejects.toThrow("disk full");
    mkdirSync(join(folder, "taken"));
    await expect(writeWhole(join(folder, "taken"), "new")).rejects.toMatchObject({ code: "EISDIR" });
    expect(readdirSync(folder)).toEqual(["file", "taken"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });
});

describe("what is kept for later", () => {
  const schema = z.object({ count: z.number() });

  it("is read as it was kept", async () => {
    const file = join(newFolder(), "deep", "kept.json");
    await writeKept(file, { count: 1 });
    expect(readKept(file, schema)).toEqual({ count: 1 });
  });

  it.each(["", '{"count":', '{"count":"1"}', "[1"])("is nothing when the file says %j", async (text) => {
    const file = join(newFolder(), "kept.json");
    expect(readKept(file, schema)).toBeUndefined();
    writeFileSync(file, text);
    expect(readKept(file, schema)).toBeUndefined();
  });
});
