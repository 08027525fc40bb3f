import { describe, expect, it } from "vitest";
import { spelledAnew, imageExport } from "../../components/decide/spellings";

const [one, two] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
const plain = [`localhost:5000/a/b@${one}`, `localhost:5000/a/b@${two}`];
const tagged = [`localhost:5000/a/b:1.0.0@${one}`, `localhost:5000/a/b@${two}`];

describe("the sources of an index to be written", () => {
  it.each([
    ["are as they are when the state knows nothing of it", plain, undefined, plain],
    ["are as they are when it was written from others", plain, plain.slice(1), plain],
    ["name the first by tag and digest when it was written from the very same", plain, plain, tagged],
    ["name the first by digest alone when it was written so from the very same", tagged, tagged, plain],
    ["are as they are when the other spelling was written last", plain, tagged, plain],
  ])("%s", (_, sources, written, expected) => {
    expect(spelledAnew(sources, written, "1.0.0")).toEqual(expected);
  });
});

describe("the export of an image", () => {
  it("is spelled as in the state, unless the image is to be built again", () => {
    const first = imageExport();
    const second = imageExport(first, true);
    expect(second).not.toBe(first);
    expect(second.split(",").toSorted()).toEqual(first.split(",").toSorted());
    expect(imageExport(second)).toBe(second);
    expect(imageExport(second, true)).toBe(first);
  });

  it("is by digest and never by tag", () => {
    expect(imageExport()).toContain("push-by-digest=true");
  });
});
