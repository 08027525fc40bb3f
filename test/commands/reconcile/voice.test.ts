import fc from "fast-check";
import { expect, it } from "vitest";
import { Voice } from "../../../commands/reconcile/voice";
import { wrapped } from "../../../commands/reconcile/wrapped";
import { displayWidth } from "../../../components/model/safeText";

const digest = `sha256:${"a1b2".repeat(16)}`;

function printed(text: string, columns: number | undefined, colours = false): readonly string[] {
  let out = "";
  new Voice(false, "all", { write: (piece) => void (out += piece), columns, colours }).text(text);
  return out.replace(/\n$/, "").split("\n");
}

it.each([
  ["a short line", ["a short line"]],
  ["an app (registry/app): unchanged", ["an app (registry/app):", "  unchanged"]],
  ["  - latest: 1.0.0 → 1.2.0 (or 1.1.0)", ["  - latest: 1.0.0 → 1.2.0", "    (or 1.1.0)"]],
  ["✗ FAILED it did not work at all", ["✗ FAILED it did not work", "  at all"]],
  ["  (waiting: it is left alone for now)", ["  (waiting: it is left", "   alone for now)"]],
  [`at ${digest} it is`, ["at", `  ${digest}`, "  it is"]],
  ['see "npm run all" or "npm run none"', ['see "npm run all" or', '  "npm run none"']],
  ['it says "what no line can hold as one"', ['it says "what no line can', '  hold as one"']],
  ["日本語の名前 绝对不是 一个 应用程序", ["日本語の名前 绝对不是", "  一个 应用程序"]],
  ["🚀🚀🚀🚀 🚀🚀🚀🚀 🚀🚀🚀🚀", ["🚀🚀🚀🚀 🚀🚀🚀🚀", "  🚀🚀🚀🚀"]],
])("breaks %j at words for a terminal, and not for a log", (line, lines) => {
  expect(printed(line, 25)).toEqual(lines);
  expect(printed(line, undefined)).toEqual([line]);
});

it("breaks no word, loses none, and makes no line longer than the terminal that has more than one", () => {
  const word = fc.oneof(fc.string({ minLength: 1, unit: fc.constantFrom(..."ab-/:日🚀é") }), fc.constant(digest));
  fc.assert(
    fc.property(
      fc.constantFrom("", "  ", "  - ", "✗ ", "    | "),
      fc.array(word),
      fc.integer({ min: 20, max: 90 }),
      (lead, words, columns) => {
        const line = `${lead}${words.join(" ")}`;
        const lines = wrapped(line, columns);
        expect(lines.flatMap((each) => each.split(" ").filter(Boolean))).toEqual(line.split(" ").filter(Boolean));
        for (const each of lines)
          if (displayWidth(each) > columns) expect(each.replace(/^ *(?:[-✗|] )?/, "")).not.toContain(" ");
      },
    ),
  );
});

it("leaves commands that are to be copied as they are", () => {
  let out = "";
  const command = `  cosign verify --key k ${digest}`;
  new Voice(false, "", { write: (piece) => void (out += piece), columns: 20, colours: true }).verbatim([command]);
  expect(out).toBe(`${command}\n`);
});

it.each([
  ["  1.0.0    missing  will build   published", "  1.0.0    {Y}missing{}  {Y}will build{}   {G}published{}"],
  ["  1.0.0    missing  linux/amd64 3 s", "  1.0.0    {R}missing{}  linux/amd64 3 s"],
  ["  1.0.0    not ours  -", "  1.0.0    {R}not ours{}  -"],
  ["it was missing, and is published", "it was missing, and is published"],
  ["    - PROBLEM no registry", "{R}    - PROBLEM no registry{}"],
  ["error: it is a long way", "{R}error: it is a long way{}"],
])("colours %j by its states or its beginning", (line, coloured) => {
  const codes = { R: "\u001b[31m", G: "\u001b[32m", Y: "\u001b[33m" } as const;
  const expected = coloured
    .replace(/\{([RGY])\}/g, (_, colour: keyof typeof codes) => codes[colour])
    .replaceAll("{}", "\u001b[0m");
  expect(printed(line, 80, true)).toEqual([expected]);
  expect(printed(line, 80)).toEqual([line]);
});
