import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShellPattern } from "../../components/dockerfile/shellPattern";

const patterns = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
const texts = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });

function regular(pattern: string, star: string): string {
  return pattern.replaceAll("?", ".").replaceAll("*", star);
}

describe("a shell pattern", () => {
  it("removes the same prefix as the regular expression it stands for", () => {
    fc.assert(
      fc.property(patterns, texts, fc.boolean(), (pattern, text, longest) => {
        const expected = text.replace(new RegExp(`^${regular(pattern, longest ? ".*" : ".*?")}`), "");
        expect(ShellPattern.parse(pattern).trimStart(text, longest)).toBe(expected);
      }),
    );
  });

  it("removes at the end what the mirrored pattern removes at the start", () => {
    fc.assert(
      fc.property(patterns, texts, fc.boolean(), (pattern, text, longest) => {
        const mirror = (value: string): string => [...value].reverse().join("");
        const expected = mirror(ShellPattern.parse(mirror(pattern)).trimStart(mirror(text), longest));
        expect(ShellPattern.parse(pattern).trimEnd(text, longest)).toBe(expected);
      }),
    );
  });

  it("replaces once or everywhere as the regular expression does", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", "?"), minLength: 1, maxLength: 3 }),
        texts,
        fc.boolean(),
        (pattern, text, all) => {
          const expected = text.replace(new RegExp(regular(pattern, ".*"), all ? "g" : ""), "-");
          expect(ShellPattern.parse(pattern).replace(text, "-", all)).toBe(expected);
        },
      ),
    );
  });

  it.each([
    ["\\*", "*a", "a"],
    ["\\?", "?a", "a"],
    ["\\\\", "\\a", "a"],
    ["\\}", "}a", "a"],
    ["[ab]", "ab", "ab"],
  ])("reads %j literally", (pattern, text, expected) => {
    expect(ShellPattern.parse(pattern).trimStart(text, false)).toBe(expected);
  });

  // What Go's regular expressions make of them: a match of nothing right behind another one does not count.
  it.each([
    ["*", "abc", "-"],
    ["*", "", "-"],
    ["b*", "abc", "a-"],
    ["a*", "bab", "b-"],
    ["", "ab", "-a-b-"],
  ])("replaces all of %j in %j", (pattern, text, expected) => {
    expect(ShellPattern.parse(pattern).replace(text, "-", true)).toBe(expected);
  });

  it("refuses other escapes", () => {
    expect(() => ShellPattern.parse("\\q")).toThrow("invalid escape");
  });

  it("does not explode on a pattern made to", () => {
    expect(ShellPattern.parse(`${"*a".repeat(40)}b`).trimStart("a".repeat(400), true)).toBe("a".repeat(400));
  });
});
