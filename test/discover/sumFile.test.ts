import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSumFile } from "../../components/discover/fileChecksums";

const [a, b] = ["a".repeat(64), "b".repeat(64)];
const long = "c".repeat(128);
const query = { algorithm: "sha256", name: "app.tar.gz", dedicated: false } as const;

describe("reading a sum file", () => {
  it.each([
    ["GNU text mode", `${b}  other\n${a}  app.tar.gz\n`],
    ["GNU binary mode", `${a} *app.tar.gz`],
    ["a folder before the name", `${a}  ./dist/app.tar.gz\r\n`],
    ["upper-case digits", `${a.toUpperCase()}  app.tar.gz`],
    ["BSD", `SHA256 (app.tar.gz) = ${a}`],
    ["BSD with several algorithms", `SHA512 (app.tar.gz) = ${long}\nSHA256 (app.tar.gz) = ${a}`],
    ["one bare sum", `${a}\n`],
    ["comments and empty lines", `# sums\n\n${a}  app.tar.gz`],
    ["the same sum twice", `${a}  app.tar.gz\n${a}  app.tar.gz`],
  ])("accepts %s", (_form, text) => {
    expect(readSumFile(text, query)).toBe(a);
  });

  it("accepts the single sum of a file's own sum file under any name", () => {
    expect(readSumFile(`${a}  build/output`, { ...query, dedicated: true })).toBe(a);
  });

  it("reads SHA-512", () => {
    expect(readSumFile(`${long}  app.tar.gz`, { ...query, algorithm: "sha512" })).toBe(long);
  });

  it.each([
    ["a list without the file", `${a}  other\n${b}  third`, "do not list"],
    ["a single sum of another file in a common list", `${a}  other`, "do not list"],
    ["a name that merely ends alike", `${a}  my-app.tar.gz`, "do not list"],
    ["two different sums", `${a}  app.tar.gz\n${b}  app.tar.gz`, "different sums"],
    ["two bare sums", `${a}\n${b}`, "do not list"],
    ["a web page", "<html>\n", "line 1 is no sha256 sum"],
    ["a sum of another length", `${long}  app.tar.gz`, "line 1 is no sha256 sum"],
    ["a short sum", `${a}  x\n${a.slice(1)}  app.tar.gz`, "line 2 is no sha256 sum"],
    ["nothing", "", "do not list"],
    ["only sums of another algorithm", `SHA512 (app.tar.gz) = ${long}`, "do not list"],
  ])("refuses %s", (_case, text, problem) => {
    expect(() => readSumFile(text, query)).toThrow(problem);
  });

  it("escapes hostile text in messages", () => {
    expect(() => readSumFile("\u001b[2J::error::", query)).toThrow(/^[\x20-\x7e]*$/);
  });

  it("answers a well-formed sum or throws, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(a, b, "  ", " *", "app.tar.gz", "\n", "SHA256 (", ") = ", "#", "é"), {
          maxLength: 12,
        }),
        (pieces) => {
          let sum: string | undefined;
          try {
            sum = readSumFile(pieces.join(""), query);
          } catch {
            return;
          }
          expect([a, b]).toContain(sum);
        },
      ),
    );
  });
});
