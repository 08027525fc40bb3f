import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeBlock, inlineCode } from "../../components/report/markdown";
import { hostileText } from "../report/hostileText";
import { safeJson, safeText } from "../../components/model/safeText";

describe("safeJson", () => {
  it("is JSON of the value, in printable ASCII without command marks, for any value", () => {
    const value = { "##[group]x": ["::error::y", "\u009b31m", "\u202ex", "\u2028", "ü", 1, null] };
    for (const indent of [undefined, 2]) {
      const written = safeJson(value, indent);
      expect(JSON.parse(written)).toEqual(value);
      expect(written).toMatch(/^[\x20-\x7e\n]*$/);
      expect(written).not.toMatch(/##|::/);
    }
  });
});

describe("safeText", () => {
  it.each([
    ["1.2.3", "1.2.3"],
    ["ghcr.io/acme/app@sha256:00", "ghcr.io/acme/app@sha256:00"],
    ["[::1]:5000/a", "[::1]:5000/a"],
    ["naïve – “quoted”", "naïve – “quoted”"],
    ["a\r\nb\tc", "a\\x0d\\x0ab\\x09c"],
    ["\u202egnp\u200b", "\\u{202e}gnp\\u{200b}"],
    ["e\u0301\ud800", "e\\u{301}\\u{d800}"],
    ["\x1b[31m", "\\x1b[31m"],
    ["::error::x", "\\x3a:error\\x3a:x"],
    [" ::1", " \\x3a:1"],
    [":::error", "\\x3a\\x3a:error"],
    ["a ##[error]b", "a ##\\x5berror]b"],
    ["<{%fg 1%}>", "<\\x7b%fg 1%}>"],
  ])("writes %j as %s", (text, expected) => expect(safeText(text)).toBe(expected));

  it("cuts long text by characters, not in the middle of one", () => {
    expect(safeText("a".repeat(10), 10)).toBe("a".repeat(10));
    expect(safeText("a".repeat(11), 10)).toBe(`${"a".repeat(9)}…`);
    expect(safeText("😀".repeat(11), 10)).toBe(`${"😀".repeat(9)}…`);
    expect(safeText("x".repeat(10_000_000)).length).toBe(300);
  });

  it("is one line without a workflow command, for any text", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const shown = safeText(text);
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(shown).not.toMatch(/::[a-z]|##\[|<\{/i);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("inlineCode", () => {
  it.each([
    ["v1.2.3", "`v1.2.3`"],
    ["", "(empty)"],
    ["a|b`c\\|d", "`a\\x7cb\\x60c\\\\x7cd`"],
    ["<b>@octocat", "`\\x3cb\\x3e\\x40octocat`"],
    [`a@sha256:${"0".repeat(64)}`, `\`a@sha256:${"0".repeat(64)}\``],
    [`@sha256:${"0".repeat(65)}`, `\`\\x40sha256:${"0".repeat(65)}\``],
  ])("writes %j as %s", (text, expected) => expect(inlineCode(text)).toBe(expected));

  it("cannot be left, for any text", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(inlineCode(text)).toMatch(/^`[^`|<>\r\n]+`$|^\(empty\)$/);
        expect(codeBlock([text]).split("\n")).toHaveLength(3);
        expect(codeBlock([text]).match(/`/g)).toHaveLength(6);
      }),
      { numRuns: 2000 },
    );
  });
});
