import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../../components/model/safeText";
import { summariseRejected } from "../../components/discover/discover";

describe("printable", () => {
  it.each([
    ["v1.2.3", '"v1.2.3"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["\n::error::x", '"\\n:\\u003aerror:\\u003ax"'],
    [":::::", '":\\u003a:\\u003a:"'],
    ["##[group]", '"#\\u0023[group]"'],
    ["\u001b[31m\u0000\u007f", '"\\u001b[31m\\u0000\\u007f"'],
    ["v１\u202e", '"v\\uff11\\u202e"'],
    ["x".repeat(300), `"${"x".repeat(80)}"... (300 characters)`],
  ])("writes %j harmlessly", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it("is valid JSON for the text it stands for, in printable ASCII without command marks, for any text", () => {
    const nasty = fc.string({
      unit: fc.constantFrom(":", "#", "\\", '"', "\n", "\r", "\u2028", "a", "\ud83d", "😀", "\u0085"),
    });
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: "binary" })), (text) => {
        const shown = printable(text, 10_000);
        expect(shown).toMatch(/^"[\x20-\x7e]*"$/);
        expect(shown).not.toMatch(/::|##/);
        expect(JSON.parse(shown)).toBe(text);
      }),
    );
  });
});

describe("summariseRejected", () => {
  const rejected = (tag: string, reason = "draft") => ({ tag, reason });

  it("gives each tag one line", () => {
    expect(summariseRejected([rejected("v1.0.0$(id)", "characters"), rejected("::stop-commands::x")])).toEqual([
      'rejected "v1.0.0$(id)": characters',
      'rejected ":\\u003astop-commands:\\u003ax": draft',
    ]);
  });

  it("says nothing when nothing was rejected", () => {
    expect(summariseRejected([])).toEqual([]);
  });

  it("counts what is beyond the limit by reason", () => {
    const many = [
      ...Array.from({ length: 9_990 }, (_, index) => rejected(`x${index}`, "not a version")),
      ...Array.from({ length: 10 }, (_, index) => ({
        ...rejected(`v1.0.${index}`, `same version as tag v1.0.${index}`),
        kind: "same version as another tag",
      })),
    ];
    expect(summariseRejected(many, 2)).toEqual([
      'rejected "x0": not a version',
      'rejected "x1": not a version',
      "rejected 9998 more: 9988 not a version; 10 same version as another tag",
    ]);
    expect(summariseRejected(many.slice(0, 2), 2)).toHaveLength(2);
  });

  it("makes every line printable, for any tag and reason", () => {
    const anything = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(fc.array(fc.tuple(anything, anything), { maxLength: 5 }), (list) => {
        for (const line of summariseRejected(
          list.map(([tag, reason]) => rejected(tag, reason)),
          2,
        )) {
          expect(line).toMatch(/^rejected [\x20-\x7e]*$/);
          expect(line).not.toMatch(/::|##/);
        }
      }),
    );
  });
});
