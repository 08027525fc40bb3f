import { DockerfileError } from "./dockerfileError";
import { expandWord } from "./word";

/** One instruction, its lines joined; the bodies of its here-documents are dropped. */
export interface Instruction {
  /** Lower case. */
  readonly keyword: string;
  /** Leading `--name=value` words, quotes and escapes removed. */
  readonly flags: readonly string[];
  /** What follows the flags, as written. */
  readonly rest: string;
  /** First line, counted from 1. */
  readonly line: number;
}

/** A Dockerfile taken apart. */
export interface Instructions {
  readonly escape: "\\" | "`";
  /** The image of the `# syntax=` directive. */
  readonly syntax?: string;
  readonly instructions: readonly Instruction[];
}

/** BuildKit reads lines through a buffer of this many bytes and refuses longer ones. */
const longestLine = 64 * 1024 - 1;
const blanks = /[\t\v\f\r ]+/;
const jsonList = /^\[\s*(?:"(?:[^"\\]|\\["\\/bfnrtu])*"\s*(?:,\s*"(?:[^"\\]|\\["\\/bfnrtu])*"\s*)*)?\]$/;

/**
 * Splits a Dockerfile into instructions, line for line as BuildKit's `frontend/dockerfile/parser` does:
 * directives, comments (inside continued lines too), the escape character, here-documents of RUN, COPY and ADD.
 *
 * Written here because the libraries for it serve editors: they accept what a build refuses, and the one tried
 * (dockerfile-ast 0.7) takes the body of `<<"A B"` for instructions and instructions after `'x <<A'` for a body.
 * @throws DockerfileError
 */
export function readInstructions(path: string, text: string): Instructions {
  return new Reader(path, text).read();
}

class Reader {
  private readonly lines: readonly string[];
  private next = 0;
  private escape: "\\" | "`" = "\\";
  private readonly directives = new Map<string, string>();
  private directivesOver = false;

  constructor(
    private readonly path: string,
    text: string,
  ) {
    const lines = text.replace(/^\ufeff/, "").split("\n");
    this.lines = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    const long = this.lines.findIndex((line) => Buffer.byteLength(line) > longestLine);
    if (long >= 0) throw this.error(long + 1, `the line is longer than ${longestLine} bytes`);
  }

  read(): Instructions {
    const instructions: Instruction[] = [];
    while (this.next < this.lines.length) {
      const instruction = this.readInstruction();
      if (instruction) instructions.push(instruction);
    }
    const syntax = this.directives.get("syntax")?.split(" ")[0];
    return { escape: this.escape, instructions, ...(syntax !== undefined && { syntax }) };
  }

  private readInstruction(): Instruction | undefined {
    const first = (this.take() ?? "").trimStart();
    const line = this.next;
    this.readDirective(first, line);
    let { text, ended } = this.continuation(first.startsWith("#") ? "" : first);
    if (ended && text === "") return undefined;
    while (!ended && this.next < this.lines.length) {
      const more = this.take() ?? "";
      // A comment or an empty line does not end a continued instruction.
      if (more.trimStart().startsWith("#") || more.trim() === "") continue;
      const part = this.continuation(more);
      text += part.text;
      ended = part.ended;
    }
    const instruction = this.parse(text.trim(), line);
    this.skipHereDocuments(instruction, text);
    return instruction;
  }

  private take(): string | undefined {
    return this.lines[this.next++]?.replace(/\r+$/, "");
  }

  private readDirective(text: string, line: number): void {
    if (this.directivesOver) return;
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(text);
    const name = match?.[1]?.toLowerCase() ?? "";
    const value = match?.[2] ?? "";
    this.directivesOver = !["syntax", "escape", "check"].includes(name);
    if (this.directivesOver) return;
    if (this.directives.has(name)) throw this.error(line, `the directive "# ${name}=" is given twice`);
    this.directives.set(name, value);
    if (name !== "escape") return;
    if (value !== "\\" && value !== "`") {
      throw this.error(line, `the escape character ${JSON.stringify(value)} is not accepted; accepted are \\ and \``);
    }
    this.escape = value;
  }

  /** Removes the escape character that joins a line with the next; an escaped one does not join. */
  private continuation(text: string): { text: string; ended: boolean } {
    const kept = text.replace(/[ \t]+$/, "");
    const joins = kept.endsWith(this.escape) && kept.at(-2) !== this.escape;
    return joins ? { text: kept.slice(0, -1), ended: false } : { text, ended: true };
  }

  private parse(text: string, line: number): Instruction {
    const gap = blanks.exec(text);
    const keyword = (gap ? text.slice(0, gap.index) : text).toLowerCase();
    const { flags, rest } = gap ? this.readFlags(text.slice(gap.index + gap[0].length)) : { flags: [], rest: "" };
    return { keyword, flags, rest: rest.trim(), line };
  }

  private readFlags(text: string): { flags: readonly string[]; rest: string } {
    const flags: string[] = [];
    let position = 0;
    for (;;) {
      while (/\s/.test(text[position] ?? "")) position++;
      if (!text.startsWith("--", position)) return { flags, rest: text.slice(position) };
      const word = this.readFlag(text, position);
      position = word.end;
      if (word.text === "--") return { flags, rest: text.slice(position) };
      flags.push(word.text);
    }
  }

  private readFlag(text: string, start: number): { text: string; end: number } {
    let word = "";
    let quote: string | undefined;
    let position = start;
    for (; position < text.length; position++) {
      const character = text[position] ?? "";
      if (quote === undefined && /\s/.test(character)) break;
      if (character === quote) quote = undefined;
      else if (quote === undefined && (character === "'" || character === '"')) quote = character;
      else if (character === this.escape) word += text[++position] ?? "";
      else word += character;
    }
    return { text: word, end: position };
  }

  private skipHereDocuments(instruction: Instruction, text: string): void {
    let { keyword, rest } = instruction;
    if (keyword === "onbuild") ({ keyword, rest } = this.parse(rest, instruction.line));
    if (!["run", "copy", "add"].includes(keyword) || !text.includes("<<") || jsonList.test(rest)) return;
    for (const { name, stripTabs } of hereDocuments(text)) {
      for (;;) {
        const line = this.take();
        if (line === undefined) {
          throw this.error(instruction.line, `the here-document ${JSON.stringify(name)} has no end`);
        }
        if ((stripTabs ? line.replace(/^\t+/, "") : line) === name) break;
      }
    }
  }

  private error(line: number, problem: string): DockerfileError {
    return new DockerfileError(this.path, line, problem);
  }
}

/** The here-documents a line opens. BuildKit always reads them with the backslash as escape. */
function hereDocuments(text: string): readonly { name: string; stripTabs: boolean }[] {
  return wordsOf(text, { rawQuotes: true, rawEscapes: true }).flatMap((word) => {
    const [, , dash, delimiter] = /^(\d*)<<(-?)\s*([^<]+)$/.exec(word) ?? [];
    if (delimiter === undefined) return [];
    const [name, ...others] = wordsOf(delimiter, {});
    return name === undefined || others.length > 0 ? [] : [{ name, stripTabs: dash === "-" }];
  });
}

/** Malformed shell text opens no here-document; the shell will say what is wrong with it. */
function wordsOf(text: string, raw: { rawQuotes?: boolean; rawEscapes?: boolean }): readonly string[] {
  try {
    return expandWord(text, { escape: "\\", keepUnset: true, ...raw }).words;
  } catch {
    return [];
  }
}
